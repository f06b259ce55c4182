"""Choice of the machine that a proof breaks: by what it leads, by its zone."""

from collections.abc import Callable, Collection
from ipaddress import IPv4Address

from lab.lab_errors import LabError
from lab.proofs.kubernetes_api import api
from lab.proofs.lab_session import LabSession
from lab.running.node_names import Node
from lab.running.node_snapshot import NodeSnapshot

Choice = Callable[[LabSession], Node]


def etcd_leader(session: LabSession) -> Node:
    """The machine of the member that leads. Raises LabError when none does."""
    return _first(
        session, "leads etcd", lambda snapshot: snapshot.etcd is not None and snapshot.etcd.leader
    )


def etcd_follower(session: LabSession) -> Node:
    """The machine of a member that follows. Raises LabError when none does."""
    return _first(
        session,
        "follows in etcd",
        lambda snapshot: snapshot.etcd is not None and not snapshot.etcd.leader,
    )


def controllers_leader(session: LabSession) -> Node:
    """The API server's machine whose controller-manager leads. Raises LabError when none does."""
    lease = "kube-controller-manager"
    return _first(session, f"leads {lease}", lambda snapshot: lease in snapshot.holds)


def _first(session: LabSession, does: str, fits: Callable[[NodeSnapshot], bool]) -> Node:
    for snapshot in session.snapshots():
        if fits(snapshot):
            return snapshot.node
    raise LabError(f"nobody {does}")


def elsewhere(session: LabSession) -> Node:
    """A member in a zone where the client has neither its place nor its node of the load balancer;
    the leader if it is in one. Raises LabError when there is no such zone.

    Clients in the zone that is cut off are cut off as well, which says nothing of the others.
    """
    addresses = {session.kubectl.place.address, IPv4Address(api(session.kubectl).server.address)}
    subnets = session.lab.account().subnets.values()
    used = {subnet.zone for subnet in subnets if any(one in subnet.cidr for one in addresses)}
    return choose_elsewhere([etcd_leader(session), *session.nodes("etcd")], used)


def choose_elsewhere(nodes: Collection[Node], used: Collection[str]) -> Node:
    """The first node outside of the zones that are used. Pure. Raises LabError."""
    for node in nodes:
        if node.instance.subnet.zone not in used:
            return node
    raise LabError(f"no member is outside of {', '.join(sorted(used))}")
