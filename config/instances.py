"""EC2 instance types: how they are written, and which families the machines cannot run on."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

XEN_FAMILIES = frozenset(
    (
        *("c1", "c3", "c4", "cc1", "cc2", "cg1", "cr1", "d2", "f1", "g2", "g3", "g3s", "h1"),
        *("hi1", "hs1", "i2", "i3", "m1", "m2", "m3", "m4", "p2", "p3", "r3", "r4", "t1", "t2"),
        *("x1", "x1e"),
    )
)
"""Families of virtual machines on Xen (EC2 user guide, "AWS Nitro System": what is not listed
there). They show no volume under its id, which is how a member finds its data volume."""

_NITRO_OF_XEN_FAMILIES = frozenset({"i3.metal", "p3dn.24xlarge"})

_ARM_FAMILIES = re.compile(r"a1|[a-z]+\d+g[a-z]*")
"""Families of Graviton processors: a1, and a `g` after the generation (EC2 naming convention)."""


def _check(instance_type: str) -> str:
    family = instance_type.split(".", maxsplit=1)[0]
    if family in XEN_FAMILIES and instance_type not in _NITRO_OF_XEN_FAMILIES:
        raise ValueError(
            "must be an instance type of the Nitro System, such as m6i.large: on Xen families "
            f"such as {family} no volume is found by its id"
        )
    if family.startswith("mac"):
        raise ValueError("must not be a Mac: it runs on a dedicated host and boots no Debian")
    return instance_type


def is_arm(instance_type: str) -> bool:
    """Whether a type has a processor of architecture arm64."""
    return _ARM_FAMILIES.fullmatch(instance_type.split(".", maxsplit=1)[0]) is not None


InstanceType = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]{0,30}\.[a-z0-9-]{1,30}$"),
    AfterValidator(_check),
]
