"""Inventory of the account: every kind of resource that the program makes, without what AWS itself
puts there.

Left out: the default VPC with its parts, what comes and goes with a VPC (main route table, default
security group), terminated instances, deleted gateways and endpoints that AWS still lists for a
while, keys that wait for deletion, AWS-managed keys, aliases and roles.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Clients = Callable[[str], Any]
"""Makes a boto3 client from the name of a service."""

Inventory = Mapping[str, list[str]]
"""Names or ids by kind; a kind of which there is nothing is missing."""

GONE = {"deleted", "deleting", "terminated", "PendingDeletion"}


@dataclass(frozen=True)
class Kind:
    """One kind of resource: where it is listed and what of it counts."""

    service: str
    operation: str
    """Paginated where boto3 can paginate it."""
    key: str
    """The list in the answer."""
    name: str
    """The attribute that names one."""
    counts: Callable[[Mapping[str, Any]], bool] = lambda _: True


def _not_default_vpc(vpc: Mapping[str, Any]) -> bool:
    return not vpc["IsDefault"]


def _not_default_subnet(subnet: Mapping[str, Any]) -> bool:
    return not subnet["DefaultForAz"]


def _not_main(table: Mapping[str, Any]) -> bool:
    return not any(association["Main"] for association in table["Associations"])


def _not_default_group(group: Mapping[str, Any]) -> bool:
    return bool(group["GroupName"] != "default")


def _there(resource: Mapping[str, Any]) -> bool:
    return resource["State"] not in GONE


def _not_amazons_role(role: Mapping[str, Any]) -> bool:
    return not role["Path"].startswith("/aws-service-role/")


def _not_amazons_alias(alias: Mapping[str, Any]) -> bool:
    return not alias["AliasName"].startswith("alias/aws/")


KINDS: Mapping[str, Kind] = {
    "VPC": Kind("ec2", "describe_vpcs", "Vpcs", "VpcId", _not_default_vpc),
    "subnet": Kind("ec2", "describe_subnets", "Subnets", "SubnetId", _not_default_subnet),
    "route table": Kind("ec2", "describe_route_tables", "RouteTables", "RouteTableId", _not_main),
    "internet gateway": Kind(
        "ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "NAT gateway": Kind("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId", _there),
    "elastic address": Kind("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "VPC endpoint": Kind("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", _there),
    "flow log": Kind("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    "instance connect endpoint": Kind(
        "ec2",
        "describe_instance_connect_endpoints",
        "InstanceConnectEndpoints",
        "InstanceConnectEndpointId",
    ),
    "network interface": Kind(
        "ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"
    ),
    "security group": Kind(
        "ec2", "describe_security_groups", "SecurityGroups", "GroupId", _not_default_group
    ),
    "volume": Kind("ec2", "describe_volumes", "Volumes", "VolumeId"),
    "placement group": Kind("ec2", "describe_placement_groups", "PlacementGroups", "GroupName"),
    "load balancer": Kind("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    "target group": Kind("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    "role": Kind("iam", "list_roles", "Roles", "RoleName", _not_amazons_role),
    "instance profile": Kind(
        "iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"
    ),
    "key alias": Kind("kms", "list_aliases", "Aliases", "AliasName", _not_amazons_alias),
    "parameter": Kind("ssm", "describe_parameters", "Parameters", "Name"),
    "bucket": Kind("s3", "list_buckets", "Buckets", "Name"),
    "alarm": Kind("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "topic": Kind("sns", "list_topics", "Topics", "TopicArn"),
    "log group": Kind("logs", "describe_log_groups", "logGroups", "logGroupName"),
}


def remaining(clients: Clients) -> Inventory:
    """List what is in the account. Raises botocore's errors when the account does not answer."""
    found = {
        label: [str(one[kind.name]) for one in _listed(clients, kind) if kind.counts(one)]
        for label, kind in KINDS.items()
    }
    found["instance"] = _instances(clients("ec2"))
    found["key"] = _keys(clients("kms"))
    found["policy"] = [
        policy["PolicyName"]
        for page in clients("iam").get_paginator("list_policies").paginate(Scope="Local")
        for policy in page["Policies"]
    ]
    return {label: sorted(names) for label, names in sorted(found.items()) if names}


def summary(inventory: Inventory) -> str:
    """One line for people: `3 instances, 1 VPC`."""
    counted = [f"{len(names)} {_plural(label, len(names))}" for label, names in inventory.items()]
    return ", ".join(counted) or "nothing"


def _plural(label: str, count: int) -> str:
    if count == 1:
        return label
    if label == "policy":
        return "policies"
    return f"{label}es" if label.endswith("s") else f"{label}s"


def _listed(clients: Clients, kind: Kind) -> Iterable[Mapping[str, Any]]:
    client = clients(kind.service)
    if not client.can_paginate(kind.operation):
        return list(getattr(client, kind.operation)()[kind.key])
    pages = client.get_paginator(kind.operation).paginate()
    return [one for page in pages for one in page[kind.key]]


def _instances(ec2: Any) -> list[str]:  # noqa: ANN401 - a client made by name has no type
    return [
        instance["InstanceId"]
        for page in ec2.get_paginator("describe_instances").paginate()
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] not in GONE
    ]


def _keys(kms: Any) -> list[str]:  # noqa: ANN401 - a client made by name has no type
    managed = {
        alias.get("TargetKeyId")
        for page in kms.get_paginator("list_aliases").paginate()
        for alias in page["Aliases"]
        if not _not_amazons_alias(alias)
    }
    keys = [key["KeyId"] for p in kms.get_paginator("list_keys").paginate() for key in p["Keys"]]
    return [
        key
        for key in keys
        if key not in managed and kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] not in GONE
    ]
