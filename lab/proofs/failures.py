"""What fails in the proofs: a daemon, a machine, a zone; and which one."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address

from lab.errors import LabError
from lab.proofs.kubernetes_api import api
from lab.proofs.lab_session import Subject
from lab.running import fault_injection
from lab.running.lab import RunningLab
from lab.running.node_names import Node
from lab.running.node_snapshot import Look

Choice = Callable[[Subject], Node]


@dataclass(frozen=True)
class Crash:
    """A daemon dies; systemd starts it again."""

    what: str
    """For the names of proofs and figures."""
    choose: Choice
    service: str


@dataclass(frozen=True)
class Loss:
    """Something is away until harm is healed."""

    what: str
    """For the names of proofs and figures."""
    choose: Choice
    inflict: Callable[[RunningLab, Node], None]


def etcd_leader(subject: Subject) -> Node:
    """The machine of the member that leads. Raises LabError when none does."""
    return _first(subject, "leads etcd", lambda look: look.etcd is not None and look.etcd.leader)


def etcd_follower(subject: Subject) -> Node:
    """The machine of a member that follows. Raises LabError when none does."""
    return _first(
        subject, "follows in etcd", lambda look: look.etcd is not None and not look.etcd.leader
    )


def controllers_leader(subject: Subject) -> Node:
    """The API server's machine whose controller-manager leads. Raises LabError when none does."""
    lease = "kube-controller-manager"
    return _first(subject, f"leads {lease}", lambda look: lease in look.holds)


def _first(subject: Subject, does: str, fits: Callable[[Look], bool]) -> Node:
    for look in subject.looks():
        if fits(look):
            return look.node
    raise LabError(f"nobody {does}")


def elsewhere(subject: Subject) -> Node:
    """A member in a zone where the client has neither its place nor its node of the balancer; the
    leader if it is in one. Raises LabError when there is no such zone.

    Clients in the zone that is cut off are cut off as well, which says nothing of the others.
    """
    addresses = {subject.kubectl.place.address, IPv4Address(api(subject.kubectl).server.address)}
    subnets = subject.lab.account().subnets.values()
    used = {subnet.zone for subnet in subnets if any(one in subnet.cidr for one in addresses)}
    return choose_elsewhere([etcd_leader(subject), *subject.nodes("etcd")], used)


def choose_elsewhere(nodes: Collection[Node], used: Collection[str]) -> Node:
    """The first node outside of the zones that are used. Pure. Raises LabError."""
    for node in nodes:
        if node.instance.subnet.zone not in used:
            return node
    raise LabError(f"no member is outside of {', '.join(sorted(used))}")


def cut_zone(lab: RunningLab, node: Node) -> None:
    """Cut off the whole zone of a machine."""
    fault_injection.partition(lab, node.instance.subnet.zone)


CRASHES = (
    Crash("the leading etcd crashes", etcd_leader, "etcd"),
    Crash("a following etcd crashes", etcd_follower, "etcd"),
    Crash("an API server crashes", controllers_leader, "kube-apiserver"),
)
LOSSES = (
    Loss("the leading etcd loses power", etcd_leader, fault_injection.power_cut),
    Loss("the leading etcd falls silent", etcd_leader, fault_injection.isolate),
    Loss("a following etcd falls silent", etcd_follower, fault_injection.isolate),
    Loss("an API server loses power", controllers_leader, fault_injection.power_cut),
    Loss("an API server falls silent", controllers_leader, fault_injection.isolate),
    Loss("a zone is cut off", elsewhere, cut_zone),
)
