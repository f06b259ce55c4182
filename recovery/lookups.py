"""How a resource that may exist is found in AWS, by type.

By what the creating call itself was given: its name where AWS keeps names unique, its tags where
they are part of the call, else the values by which AWS recognises a repeat. A type for which
creating it again is no mistake (the call sets or adds, and adding twice is adding once) needs no
lookup.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from recovery.deployment import Document
from recovery.recovery_error import RecoveryError

Clients = Callable[[str], Any]
"""Makes a boto3 client from the name of a service."""

Lookup = Callable[[Clients, Document], list[str]]
"""From the inputs to the ids, as Pulumi has them, of what exists. Raises RecoveryError where the
inputs do not say enough."""

GONE: Final = frozenset(
    {"deleted", "deleting", "delete-complete", "delete-in-progress", "failed"}
    | {"shutting-down", "terminated", "PendingDeletion"}
)
"""States of what is gone or goes, lest it is taken for what was being created."""


def tagged(operation: str, key: str, identifier: str, *, filters: str = "Filters") -> Lookup:
    """EC2's resources that have every tag of the inputs."""

    def find(clients: Clients, inputs: Document) -> list[str]:
        tags = inputs.get("tags") or {}
        if "Name" not in tags:
            raise RecoveryError("it has no tag Name by which AWS could find it")
        ec2 = clients("ec2")
        wanted = {filters: [{"Name": "tag:Name", "Values": [tags["Name"]]}]}
        if ec2.can_paginate(operation):
            answers = ec2.get_paginator(operation).paginate(**wanted)
        else:
            answers = [getattr(ec2, operation)(**wanted)]
        return [
            str(one[identifier])
            for answer in answers
            for one in _flat(answer[key])
            if _has(one.get("Tags") or (), tags) and _state(one) not in GONE
        ]

    return find


def _flat(listed: Iterable[Document]) -> Iterable[Document]:
    """Instances come in reservations."""
    for one in listed:
        yield from one.get("Instances", [one])


def _has(tags: Iterable[Document], wanted: Mapping[str, str]) -> bool:
    # A filter of EC2 takes `*` and `?` as wildcards, so the values are compared again.
    return wanted.items() <= {tag["Key"]: tag["Value"] for tag in tags}.items()


def _state(one: Document) -> str:
    state = one.get("State", "")
    return str(state["Name"] if isinstance(state, dict) else state)


def named(
    service: str,
    operation: str,
    argument: str,
    *path: str,
    name: str = "name",
    many: bool = True,
) -> Lookup:
    """What a call finds by its unique name; `path` leads through the answer to the id."""

    def find(clients: Clients, inputs: Document) -> list[str]:
        client = clients(service)
        value = _text(inputs, name)
        try:
            answer = getattr(client, operation)(**{argument: [value] if many else value})
        except ClientError as error:
            if _unknown(error):
                return []
            raise
        if not path:
            return [value]
        key, identifier = path
        listed = answer[key] if isinstance(answer[key], list) else [answer[key]]
        return [str(one[identifier]) for one in listed]

    return find


def _unknown(error: ClientError) -> bool:
    """Whether AWS says that it does not have such a thing."""
    code = str(error.response["Error"]["Code"])
    return code == "404" or code.startswith("NoSuch") or code.endswith(("NotFound", ".Unknown"))


def _text(inputs: Document, name: str) -> str:
    value = inputs.get(name)
    if not isinstance(value, str) or not value:
        raise RecoveryError(f"its {name} is not known")
    return value


def _key(clients: Clients, inputs: Document) -> list[str]:
    kms, wanted = clients("kms"), inputs.get("tags") or {}
    if not wanted:
        raise RecoveryError("it has no tags by which AWS could find it")
    found = []
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            about = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            # The tags of a key of AWS may not be read.
            if about.get("KeyManager") != "CUSTOMER" or about["KeyState"] in GONE:
                continue
            tags = kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
            if wanted.items() <= {tag["TagKey"]: tag["TagValue"] for tag in tags}.items():
                found.append(str(key["KeyId"]))
    return found


def _alias(clients: Clients, inputs: Document) -> list[str]:
    name = _text(inputs, "name")
    pages = clients("kms").get_paginator("list_aliases").paginate()
    return [name for page in pages for one in page["Aliases"] if one["AliasName"] == name]


def _alarm(clients: Clients, inputs: Document) -> list[str]:
    name = _text(inputs, "name")
    found = clients("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return [str(alarm["AlarmName"]) for alarm in found]


def _scaling_group(clients: Clients, inputs: Document) -> list[str]:
    name = _text(inputs, "name")
    found = clients("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    # A group that goes says so, and is listed until its last machine has gone.
    return [name for group in found["AutoScalingGroups"] if not group.get("Status")]


def _topic(clients: Clients, inputs: Document) -> list[str]:
    name = _text(inputs, "name")
    pages = clients("sns").get_paginator("list_topics").paginate()
    topics = [str(topic["TopicArn"]) for page in pages for topic in page["Topics"]]
    return [arn for arn in topics if arn.rpartition(":")[2] == name]


def _listener(clients: Clients, inputs: Document) -> list[str]:
    arn = _text(inputs, "loadBalancerArn")
    found = clients("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]
    return [str(one["ListenerArn"]) for one in found if one["Port"] == int(inputs["port"])]


def _log_group(clients: Clients, inputs: Document) -> list[str]:
    name = _text(inputs, "name")
    found = clients("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return [name for group in found if group["logGroupName"] == name]


def _tables(clients: Clients, inputs: Document) -> list[Document]:
    answer = clients("ec2").describe_route_tables(RouteTableIds=[_text(inputs, "routeTableId")])
    return list(answer["RouteTables"])


def _route(clients: Clients, inputs: Document) -> list[str]:
    table, destination = _text(inputs, "routeTableId"), _text(inputs, "destinationCidrBlock")
    # The provider's own id: EC2 has none for routes.
    identifier = f"r-{table}{zlib.crc32(destination.encode())}"
    return [
        identifier
        for found in _tables(clients, inputs)
        for route in found["Routes"]
        if route.get("DestinationCidrBlock") == destination
    ]


def _association(clients: Clients, inputs: Document) -> list[str]:
    subnet = _text(inputs, "subnetId")
    return [
        str(one["RouteTableAssociationId"])
        for table in _tables(clients, inputs)
        for one in table["Associations"]
        if one.get("SubnetId") == subnet
    ]


def _reservation(clients: Clients, inputs: Document) -> list[str]:
    subnet, cidr = _text(inputs, "subnetId"), _text(inputs, "cidrBlock")
    found = clients("ec2").get_subnet_cidr_reservations(SubnetId=subnet)
    listed = found["SubnetIpv4CidrReservations"]
    return [str(one["SubnetCidrReservationId"]) for one in listed if one["Cidr"] == cidr]


def _rule(*, egress: bool) -> Lookup:
    def find(clients: Clients, inputs: Document) -> list[str]:
        group = _text(inputs, "securityGroupId")
        pages = clients("ec2").get_paginator("describe_security_group_rules")
        return [
            str(rule["SecurityGroupRuleId"])
            for page in pages.paginate(Filters=[{"Name": "group-id", "Values": [group]}])
            for rule in page["SecurityGroupRules"]
            if bool(rule["IsEgress"]) == egress and _opens(rule) == _wanted(inputs)
        ]

    return find


def _opens(rule: Document) -> tuple[object, ...]:
    """What AWS compares to tell whether two rules are the same one."""
    ports = [int(rule.get(name, -1)) for name in ("FromPort", "ToPort")]
    peer = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    where = [rule.get(name) or None for name in ("CidrIpv4", "CidrIpv6", "PrefixListId")]
    return (rule["IpProtocol"], *ports, peer, *where)


def _wanted(inputs: Document) -> tuple[object, ...]:
    ports = [int(inputs.get(name, -1)) for name in ("fromPort", "toPort")]
    names = ("referencedSecurityGroupId", "cidrIpv4", "cidrIpv6", "prefixListId")
    return (inputs["ipProtocol"], *ports, *(inputs.get(name) or None for name in names))


LOOKUPS: Final[Mapping[str, Lookup]] = {
    "aws:autoscaling/group:Group": _scaling_group,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:ebs/volume:Volume": tagged("describe_volumes", "Volumes", "VolumeId"),
    "aws:ec2/eip:Eip": tagged("describe_addresses", "Addresses", "AllocationId"),
    "aws:ec2/flowLog:FlowLog": tagged(
        "describe_flow_logs", "FlowLogs", "FlowLogId", filters="Filter"
    ),
    "aws:ec2/instance:Instance": tagged("describe_instances", "Reservations", "InstanceId"),
    "aws:ec2/internetGateway:InternetGateway": tagged(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": tagged(
        "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"
    ),
    "aws:ec2/natGateway:NatGateway": tagged(
        "describe_nat_gateways", "NatGateways", "NatGatewayId", filters="Filter"
    ),
    "aws:ec2/networkInterface:NetworkInterface": tagged(
        "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"
    ),
    "aws:ec2/placementGroup:PlacementGroup": named(
        "ec2", "describe_placement_groups", "GroupNames"
    ),
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": tagged("describe_route_tables", "RouteTables", "RouteTableId"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _association,
    "aws:ec2/securityGroup:SecurityGroup": tagged(
        "describe_security_groups", "SecurityGroups", "GroupId"
    ),
    "aws:ec2/subnet:Subnet": tagged("describe_subnets", "Subnets", "SubnetId"),
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation": _reservation,
    "aws:ec2/vpc:Vpc": tagged("describe_vpcs", "Vpcs", "VpcId"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": tagged(
        "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"
    ),
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": tagged(
        "describe_instance_connect_endpoints",
        "InstanceConnectEndpoints",
        "InstanceConnectEndpointId",
    ),
    "aws:iam/instanceProfile:InstanceProfile": named(
        "iam", "get_instance_profile", "InstanceProfileName", many=False
    ),
    "aws:iam/role:Role": named("iam", "get_role", "RoleName", many=False),
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:lb/listener:Listener": _listener,
    "aws:lb/loadBalancer:LoadBalancer": named(
        "elbv2", "describe_load_balancers", "Names", "LoadBalancers", "LoadBalancerArn"
    ),
    "aws:lb/targetGroup:TargetGroup": named(
        "elbv2", "describe_target_groups", "Names", "TargetGroups", "TargetGroupArn"
    ),
    "aws:s3/bucket:Bucket": named("s3", "head_bucket", "Bucket", name="bucket", many=False),
    "aws:sns/topic:Topic": _topic,
    "aws:ssm/parameter:Parameter": named("ssm", "get_parameter", "Name", many=False),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule(egress=True),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule(egress=False),
}

REPEATABLE: Final[frozenset[str]] = frozenset(
    {
        "aws:autoscaling/lifecycleHook:LifecycleHook",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        # The provider looks for the attachment before it asks for it.
        "aws:ec2/volumeAttachment:VolumeAttachment",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:lb/targetGroupAttachment:TargetGroupAttachment",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
    }
)
"""Types of which creating one twice is creating it once."""

ANEW: Final[frozenset[str]] = frozenset({"aws:ec2/securityGroup:SecurityGroup"})
"""Types of which what exists is deleted and created anew. Creating is several calls, and a refresh
does not show that the last ones are missing: EC2 gives a new group a rule that lets everything out,
the provider takes it away in a second call, and nothing would ever name a rule that stayed."""


def repeatable(kind: str) -> bool:
    """Whether creating a resource of a type again does no harm. Keys and certificates exist in the
    state only."""
    return kind in REPEATABLE or kind.startswith(("tls:", "random:"))
