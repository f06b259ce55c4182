"""Quotas of an account that stacks need, from what they declare."""

from moto.ec2.models.instance_types import INSTANCE_TYPES

from lab.tests.figures.cost import declared
from lab.tests.figures.tables import rows
from tests.recording import Deployment


def quotas() -> str:
    """The table of `dev`, `prod`, and what AWS usually gives ("Amazon EC2 service quotas", "Amazon
    VPC quotas")."""
    stacks = [declared(name) for name in ("dev", "prod")]
    return rows(
        ("quota", "`dev`", "`prod`", "AWS's usual default"),
        [
            (
                "vCPUs of on-demand standard instances",
                *map(vcpus, stacks),
                "5 in a new account, more later",
            ),
            (
                "the same, while API servers are replaced",
                *(vcpus(stack) + vcpus(stack, doubled=True) for stack in stacks),
                "",
            ),
            ("Elastic IP addresses in the region", *(len(s.of("Eip")) for s in stacks), 5),
            ("VPCs in the region", *(len(s.of("Vpc")) for s in stacks), 5),
        ],
    )


def vcpus(stack: Deployment, *, doubled: bool = False) -> int:
    """Of all machines, or of those whose successors run before any of them ends."""
    return sum(
        int(INSTANCE_TYPES[machine.inputs["instanceType"]]["VCpuInfo"]["DefaultVCpus"])
        for machine in stack.registrations("Instance").values()
        if not (doubled and machine.delete_before_replace)
    )
