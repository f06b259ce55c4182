"""Which replica of CoreDNS has to move, now that there is a better place for it. Pure.

The scheduler spreads pods when it places them, and nobody moves one later: all replicas stay on the
first worker that was ready, or on those that a loss left. What its constraints (cluster_dns) would
not allow for a new pod is put right by evicting one at a time; the scheduler places the next one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.cluster.manifests.spread import REPELLING, ZONE
from node.cluster.ready_condition import ready

HOST = "kubernetes.io/hostname"
_TEMPLATE = "pod-template-hash"
_TOLERATED = "CriticalAddonsOnly"
"""The only taint on which CoreDNS is placed; of the others it tolerates what comes later."""
MAX_SKEW = 1


@dataclass(frozen=True)
class Place:
    """Where a replica may be."""

    zone: str
    host: str


@dataclass(frozen=True)
class Leaving:
    """A replica that is to leave the place where it is."""

    name: str
    uid: str
    place: Place


@dataclass(frozen=True)
class Spread:
    """Where all replicas are, ready and of one template."""

    template: str
    places: frozenset[Place]
    """Where one may be. Among the same places every move makes `badness` less."""
    badness: int
    """No meaning but less and more."""
    leaving: Leaving | None
    """The replica that moves; None when all are where the constraints would have put them, or
    when nobody knows where the next one would go."""


def spread(
    deployment: Mapping[str, Any],
    pods: Iterable[Mapping[str, Any]],
    nodes: Iterable[Mapping[str, Any]],
) -> Spread | None:
    """How replicas are spread; None when one is missing, or when a person says where they belong.

    `pods` are those of CoreDNS, `nodes` all Nodes.
    """
    replicas = _settled(deployment, pods)
    template = deployment["spec"]["template"]["spec"]
    if not replicas or "affinity" in template:
        return None
    places = dict(_places(nodes, template.get("nodeSelector") or {}))
    # The scheduler does not count those on other Nodes, which have to go anyway.
    placed = [one for one in replicas if one["spec"]["nodeName"] in places]
    where = [places[one["spec"]["nodeName"]] for one in placed]
    known = frozenset(places.values())
    place = _to_leave(where, known)
    leaving = None
    if place:
        there = [one for one, its in zip(placed, where, strict=True) if its == place]
        youngest = max(there, key=lambda one: (one["metadata"]["creationTimestamp"], _name(one)))
        leaving = Leaving(_name(youngest), youngest["metadata"]["uid"], place)
    return Spread(replicas[0]["metadata"]["labels"][_TEMPLATE], known, _badness(where), leaving)


def _name(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["name"])


def _settled(
    deployment: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """The replicas, when all that are wanted are ready and of one template; none otherwise."""
    status = deployment.get("status", {})
    if status.get("observedGeneration") != deployment["metadata"]["generation"]:
        return ()
    replicas = [
        pod
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        and pod.get("status", {}).get("phase") not in {"Succeeded", "Failed"}
    ]
    numbers = {len(replicas), status.get("replicas"), status.get("updatedReplicas")}
    templates = {pod["metadata"].get("labels", {}).get(_TEMPLATE) for pod in replicas}
    if (
        numbers != {deployment["spec"]["replicas"]}
        or len(templates) != 1
        or None in templates
        or not all(ready(pod) and pod["spec"].get("nodeName") for pod in replicas)
    ):
        return ()
    return replicas


def _places(
    nodes: Iterable[Mapping[str, Any]], selector: Mapping[str, str]
) -> Iterable[tuple[str, Place]]:
    """Where the scheduler may put a replica and counts them, by the Node's name."""
    for node in nodes:
        labels = node["metadata"].get("labels", {})
        if (
            ready(node)
            and ZONE in labels
            and HOST in labels
            and selector.items() <= labels.items()
            and not any(
                taint["effect"] in REPELLING and taint["key"] != _TOLERATED
                for taint in node["spec"].get("taints", ())
            )
        ):
            yield node["metadata"]["name"], Place(labels[ZONE], labels[HOST])


def _to_leave(where: Sequence[Place], places: frozenset[Place]) -> Place | None:
    """The place that a replica leaves: of the fullest zone, or host, the fullest one."""
    zones, hosts = _counted(where, places)
    if max(_skew(zones), _skew(hosts)) <= MAX_SKEW:
        return None
    key = (zones, hosts) if _skew(zones) > MAX_SKEW else (hosts, zones)
    fullest = max(
        sorted(set(where), key=lambda place: (place.zone, place.host)),
        key=lambda place: [count[place] for count in key],
    )
    rest = list(where)
    rest.remove(fullest)
    return fullest if next_places(rest, places) else None


def next_places(where: Sequence[Place], places: Iterable[Place]) -> list[Place]:
    """Where the scheduler may put one more, beside those that are there."""
    known = frozenset(places)
    counts = _counted(where, known)
    return [
        place
        for place in known
        if all(count[place] + 1 - min(count.values()) <= MAX_SKEW for count in counts)
    ]


def _counted(
    where: Sequence[Place], places: frozenset[Place]
) -> tuple[Mapping[Place, int], Mapping[Place, int]]:
    """How many are in the zone of each place, and on its host."""
    zones, hosts = Counter(one.zone for one in where), Counter(one.host for one in where)
    return ({one: zones[one.zone] for one in places}, {one: hosts[one.host] for one in places})


def _skew(count: Mapping[Place, int]) -> int:
    return max(count.values(), default=0) - min(count.values(), default=0)


def _badness(where: Sequence[Place]) -> int:
    """Each move to a place of next_places makes it less: both counts of the new place are at most
    the old ones without the replica that left, and one of them is less than that."""
    counts = (Counter(one.zone for one in where), Counter(one.host for one in where))
    return sum(number**2 for count in counts for number in count.values())
