"""Kinds of resources that the program makes, as moto holds them, without what AWS itself puts into
an account.

Left out: the default VPC with its parts, what comes and goes with a VPC (main route table, default
security group), terminated instances, deleted gateways and endpoints that AWS still lists for a
while, keys that wait for deletion, AWS-managed keys, aliases, policies and roles.

`/_lab/inventory`: `GET` gives the names or ids of every kind, in every region.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.backends import get_backend
from moto.iam.models import AWSManagedPolicy
from werkzeug.wrappers import Request

from lab.cloud.corrections import connect_endpoints, placement_groups
from lab.cloud.requests import ACCOUNT

GONE = {"deleted", "deleting", "terminated", "PendingDeletion"}


def _all(held: Mapping[str, Any]) -> list[Any]:
    """A copy: requests of other threads go on meanwhile."""
    return list(held.values())


def _ids(held: Mapping[str, Any]) -> list[str]:
    return [one.id for one in _all(held)]


def _names(held: Mapping[str, Any]) -> list[str]:
    return [one.name for one in _all(held)]


def _there(held: Mapping[str, Any]) -> list[str]:
    return [one.id for one in _all(held) if one.state not in GONE]


def _aliases(kms: Any, *, amazons: bool) -> list[tuple[str, str]]:  # noqa: ANN401 - moto has no types
    """Names, and the keys that they mean."""
    return [
        (name, key.id)
        for key in _all(kms.keys)
        for name in list(key.aliases)
        if name.startswith("alias/aws/") == amazons
    ]


def _keys(kms: Any) -> list[str]:  # noqa: ANN401 - moto has no types
    managed = {key for _, key in _aliases(kms, amazons=True)}
    return [key.id for key in _all(kms.keys) if key.id not in managed and key.key_state not in GONE]


KINDS: Mapping[str, tuple[str, Callable[[Any], Iterable[str]]]] = {
    "VPC": ("ec2", lambda ec2: (vpc.id for vpc in _all(ec2.vpcs) if not vpc.is_default)),
    "subnet": (
        "ec2",
        lambda ec2: (
            subnet.id
            for zone in _all(ec2.subnets)
            for subnet in _all(zone)
            if not subnet.default_for_az
        ),
    ),
    "route table": (
        "ec2",
        lambda ec2: (one.id for one in _all(ec2.route_tables) if not one.main_association_id),
    ),
    "internet gateway": ("ec2", lambda ec2: _ids(ec2.internet_gateways)),
    "NAT gateway": ("ec2", lambda ec2: _there(ec2.nat_gateways)),
    "elastic address": (
        "ec2",
        lambda ec2: (one.allocation_id or one.public_ip for one in list(ec2.addresses)),
    ),
    "VPC endpoint": ("ec2", lambda ec2: _there(ec2.vpc_end_points)),
    "flow log": ("ec2", lambda ec2: _ids(ec2.flow_logs)),
    "instance connect endpoint": ("ec2", lambda ec2: _ids(connect_endpoints.held(ec2))),
    "network interface": ("ec2", lambda ec2: _ids(ec2.enis)),
    "security group": (
        "ec2",
        lambda ec2: (
            group.id
            for groups in _all(ec2.groups)
            for group in _all(groups)
            if group.name != "default"
        ),
    ),
    "instance": (
        "ec2",
        lambda ec2: (one.id for one in ec2.all_instances() if one.state not in GONE),
    ),
    "volume": ("ec2", lambda ec2: _ids(ec2.volumes)),
    "launch template": ("ec2", lambda ec2: [one.name for one in _all(ec2.launch_templates)]),
    "Auto Scaling group": ("autoscaling", lambda scaling: list(scaling.autoscaling_groups)),
    "placement group": ("ec2", lambda ec2: list(placement_groups.held(ec2))),
    "load balancer": ("elbv2", lambda elb: _names(elb.load_balancers)),
    "target group": ("elbv2", lambda elb: _names(elb.target_groups)),
    "role": (
        "iam",
        lambda iam: (
            role.name for role in _all(iam.roles) if not role.path.startswith("/aws-service-role/")
        ),
    ),
    "instance profile": ("iam", lambda iam: _names(iam.instance_profiles)),
    "policy": (
        "iam",
        lambda iam: (
            one.name for one in _all(iam.managed_policies) if not isinstance(one, AWSManagedPolicy)
        ),
    ),
    "key": ("kms", _keys),
    "key alias": ("kms", lambda kms: (name for name, _ in _aliases(kms, amazons=False))),
    "parameter": (
        "ssm",
        lambda ssm: (
            versions[-1].name
            for versions in _all(ssm._parameters)  # noqa: SLF001 - moto has no public name for them
            if versions
        ),
    ),
    "bucket": ("s3", lambda s3: _names(s3.buckets)),
    "alarm": ("cloudwatch", lambda watch: _names(watch.alarms)),
    "topic": ("sns", lambda sns: list(sns.topics)),
    "log group": ("logs", lambda logs: _names(logs.groups)),
}
"""The service that holds a kind, and what its part of one region counts."""


def inventory(_request: Request) -> object:
    """What is in the account."""
    backends: Any = get_backend  # its type takes literals only
    return {
        label: sorted(name for region in _all(backends(service)[ACCOUNT]) for name in names(region))
        for label, (service, names) in sorted(KINDS.items())
    }
