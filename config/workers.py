"""`workers`: pools of the machines that applications run on."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from config.change import IN_PLACE, ROLLS_POOL
from config.instances import InstanceType
from config.types import Settings

MAX_POOL_NAME = 15
"""A pool's name ends the names of its role and its groups: 20 characters of the cluster,
`-workers-`, these and Pulumi's 8 random ones fit the 64 of an IAM role."""

POOL_NAME_PATTERN = rf"^[a-z]([a-z0-9-]{{0,{MAX_POOL_NAME - 2}}}[a-z0-9])?$"

MAX_POOLS = 20
"""The control plane reads all pools from one parameter, which holds 4 KB."""

MAX_WORKERS = 1000
"""Of a pool. Kubernetes is made for up to 5,000 nodes ("Considerations for large clusters")."""

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")

_RESERVED_DOMAINS = ("kubernetes.io", "k8s.io", "ha-kubernetes")
"""Domains of labels that no stack sets: the first two are Kubernetes', where the API server lets a
kubelet set but a few (NodeRestriction), the last is the program's."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def check_pool_name(name: str) -> str:
    """The name. ValueError when no label of DNS, or too long for what is named after it."""
    if not re.fullmatch(POOL_NAME_PATTERN.strip("^$"), name):
        raise ValueError(
            f"must be named with a DNS label of at most {MAX_POOL_NAME} characters: lower-case "
            "letters, digits and inner hyphens, a letter first"
        )
    return name


def _is_key(key: str) -> bool:
    """Whether Kubernetes takes a text for the key of a label or a taint: `name`, `domain/name`."""
    domain, slash, name = key.rpartition("/")
    if slash and (len(domain) > 253 or not _DOMAIN.fullmatch(domain)):
        return False
    return _NAME.fullmatch(name) is not None


def _is_value(value: str) -> bool:
    return not value or _NAME.fullmatch(value) is not None


def _check_labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if not _is_key(key) or not _is_value(value):
            raise ValueError(
                "must be labels as Kubernetes takes them, a name or domain/name and a value, each "
                f"of up to 63 letters, digits and inner - _ and dots, unlike {key[:80]!r}"
            )
        domain = key.rpartition("/")[0]
        if any(domain == own or domain.endswith(f".{own}") for own in _RESERVED_DOMAINS):
            raise ValueError(
                f"must not have the label {key!r}: kubernetes.io and k8s.io are Kubernetes', which "
                "lets no kubelet set them, and ha-kubernetes/ is the program's"
            )
    return labels


def _check_taints(taints: list[str]) -> list[str]:
    seen: set[tuple[str, str]] = set()
    for taint in taints:
        rest, _, effect = taint.rpartition(":")
        key, _, value = rest.partition("=")
        if effect not in TAINT_EFFECTS or not _is_key(key) or not _is_value(value):
            raise ValueError(
                "must be key=value:Effect or key:Effect, with an effect of "
                f"{', '.join(TAINT_EFFECTS)}, unlike {taint[:80]!r}"
            )
        if (key, effect) in seen:
            raise ValueError(f"must have one taint of a key and an effect, unlike {taint[:80]!r}")
        seen.add((key, effect))
    return taints


class WorkerPoolSettings(Settings):
    """A pool: equal machines over all zones, as many as its Auto Scaling groups are told."""

    min: Annotated[int, Field(ge=0, le=MAX_WORKERS), IN_PLACE]
    """Fewest machines, and how many a new pool begins with."""
    max: Annotated[Annotated[int, Field(ge=0, le=MAX_WORKERS)] | None, IN_PLACE] = None
    """Most machines, up to which an autoscaler may raise the number; `min` when left out."""
    instance_type: Annotated[InstanceType | None, ROLLS_POOL] = None
    """EC2 instance type; `m6i.large` on amd64 and `m7g.large` on arm64 when left out."""
    per_zone: Annotated[bool, ROLLS_POOL] = False
    """A group in each zone rather than one over all of them, as volumes that stay in their zone
    want it; `min` and `max` are divided among them."""
    spot: Annotated[bool, ROLLS_POOL] = False
    """Spot instances, which AWS takes back with two minutes' notice."""
    labels: Annotated[
        dict[str, str], Field(max_length=20), AfterValidator(_check_labels), ROLLS_POOL
    ] = Field(default_factory=dict)
    """Labels of the pool's nodes, none of kubernetes.io and k8s.io."""
    taints: Annotated[
        list[str], Field(max_length=20), AfterValidator(_check_taints), ROLLS_POOL
    ] = Field(default_factory=list)
    """Taints of the pool's nodes: `key=value:Effect`."""
    # Images and containers' own files are on it; Debian's image takes 2 GiB, and kubelets evict
    # below 10 % free.
    disk_gib: Annotated[int, Field(ge=10, le=16384), ROLLS_POOL] = 30
    """Size of the root disk in GiB, which also holds images and what containers write."""

    @property
    def most(self) -> int:
        """Most machines."""
        return self.min if self.max is None else self.max

    @property
    def repels(self) -> bool:
        """Whether a taint keeps pods away that do not tolerate it."""
        return any(not taint.endswith(":PreferNoSchedule") for taint in self.taints)


PoolName = Annotated[str, AfterValidator(check_pool_name)]
