"""Names that people call machines, zones and services by. Pure."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab.lab_errors import LabError
from lab.machines.account import Instance
from lab.machines.network.dnsmasq import host_name

CLUSTER_TAG = "kubernetes.io/cluster/"
"""Begins the key of the tag that names an instance's cluster."""


@dataclass(frozen=True)
class Node:
    """An instance under the name that people call it by."""

    name: str
    """Its Name tag without the cluster's name: `etcd-0`; of a worker, which shares its tag with all
    of its pool, the name that its node in Kubernetes begins with: `ip-10-0-8-4`."""
    instance: Instance


def nodes(instances: Iterable[Instance], cluster: str | None) -> dict[str, Node]:
    """The nodes by name, in order.

    While a successor runs alongside its predecessor, the one with the later name of the two has its
    instance id added.
    """
    found: dict[str, Node] = {}
    for instance in sorted(instances, key=lambda one: (one.pool or "", one.name, one.id)):
        name = instance.name
        if cluster:
            name = name.removeprefix(f"{cluster}-")
        if instance.pool is not None:
            name = host_name(instance.address)
        if name in found:
            name = f"{name}/{instance.id}"
        found[name] = Node(name, instance)
    return found


def cluster_of(tags: Iterable[Mapping[str, str]]) -> str | None:
    """The cluster that tags (as DescribeTags gives them) speak of."""
    keys = (tag["Key"] for tag in tags)
    return next((k.removeprefix(CLUSTER_TAG) for k in keys if k.startswith(CLUSTER_TAG)), None)


def choose(given: str, known: Mapping[str, Node]) -> Node:
    """The node that somebody means by its name, its instance id, its Name tag where no other has
    the same, or a worker's name in Kubernetes.

    Raises LabError with what there is.
    """
    for node in known.values():
        if given in {node.name, node.instance.id}:
            return node
        if node.instance.pool is None and given == node.instance.name:
            return node
        if node.instance.pool is not None and given.partition(".")[0] == node.name:
            return node
    raise LabError(_unknown("machine", given, known))


def choose_word(kind: str, given: str, known: Iterable[str]) -> str:
    """`given`, if it is known. Raises LabError with what there is."""
    words = list(known)
    if given in words:
        return given
    raise LabError(_unknown(kind, given, words))


def _unknown(kind: str, given: str, known: Iterable[str]) -> str:
    words = list(known)
    if not words:
        return f"There is no {kind} {given!r}, and no other."
    close = difflib.get_close_matches(given, words, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(words)}."
    return f"There is no {kind} {given!r}: {hint}"


def tier(name: str) -> str:
    """The tier that a node of that name belongs to: `etcd`, `api` or `worker`. Pure."""
    first = name.partition("-")[0]
    return "worker" if first == "ip" else first
