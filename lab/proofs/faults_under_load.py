"""Faults that are inflicted under load, and what is claimed of each: what clients may notice.

Goals are of an idle machine of two cores; a proof publishes what it measured beside them, and fails
on times only when they are far off.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lab.proofs.lab_session import LabSession
from lab.proofs.load.fault_record import Fault, Measure
from lab.proofs.load.history import Request
from lab.proofs.load.summary import ALL
from lab.proofs.victims import Choice, controllers_leader, elsewhere, etcd_follower, etcd_leader
from lab.running import fault_injection
from lab.running.node_names import Node

Inflict = Callable[[LabSession, Node], object]
"""What is done to a machine."""

ELECTION = "an election begins 0.9 to 2 s after the leader's last heartbeat (etcd: 100 and 1000 ms)"
DETECTION = (
    "the load balancer takes an API server out after two failed checks, 5 s apart, each of 4 s "
    "where it is silent, so within 14 s: no NLB checks more often"
)
MEMBERS_LISTED = (
    "with the members listed in --etcd-servers, as kubeadm's external etcd, kube-aws and Typhoon "
    "do, clients wait 10 to 12 s for a silent member, a follower or the leader, until gRPC's "
    "keepalive gives it up; designs with etcd on the API server's machine lose the API server too"
)
TCP_CHECKS = (
    "kops and Typhoon check the port by TCP every 10 s, so an API server whose etcd is gone stays "
    "in; with stacked etcd a lost machine takes a member of etcd along"
)


@dataclass(frozen=True, kw_only=True)
class FaultUnderLoad:
    """A fault, how it is inflicted, and what clients may notice at most."""

    fault: Fault
    choose: Choice
    inflict: Inflict
    goals: Mapping[str, float]
    """Seconds: of ALL the service stall, of FRESH and NEXT what `measures` says."""
    restarts: str = ""
    """The daemon that begins anew by itself; without one the fault lasts until it is healed."""
    fails_nothing: bool = False
    """Whether no request may fail that `unexcused` has."""
    short: bool = False
    """Whether it is part of every run of the proofs."""


FRESH, NEXT = "fresh", "next"
"""Kinds of clients: a connection a request, without and with a try of the next address."""
HTTP1 = "http1"
"""Kind of clients with one connection of HTTP/1.1."""
CLOSED = ("EOF", "connection reset by peer", "broken pipe", "server closed idle connection")
"""Ends of what Go says of a connection that was closed while a request was sent."""
SLOW = 2.0
"""Seconds of a request that was not simply served: several elections."""


def unexcused(requests: Iterable[Request]) -> list[Request]:
    """Requests that failed although their server can finish them. Pure.

    HTTP/1.1 cannot announce the end of a connection that nothing is asked on, as HTTP/2 can: a
    request that is sent in that instant fails, and only one that may be repeated is sent again (RFC
    9112, 9.3.1 and 9.5).
    """
    return [
        one
        for one in requests
        if not one.ok and not (one.kind == HTTP1 and one.error.endswith(CLOSED))
    ]


def measures(
    requests: Iterable[Request], goals: Mapping[str, float], began: float, ended: float
) -> list[Measure]:
    """What new connections met between two Unix times, as far as something is promised. Pure.

    Of FRESH how long it took until every one of them was served, of NEXT the longest request. The
    fault has to be there at the first: what is under way then is no new connection.
    """
    met = [one for one in requests if began <= one.start <= ended]
    trouble = [one for one in met if one.kind == FRESH and (not one.ok or one.seconds > SLOW)]
    found = {
        FRESH: (
            "new connections are all served after",
            max((one.start - began for one in trouble), default=0.0),
        ),
        NEXT: (
            "longest request, trying the next address",
            max((one.seconds for one in met if one.kind == NEXT), default=0.0),
        ),
    }
    return [Measure(*found[kind], goals[kind]) for kind in found if kind in goals]


def kill(service: str) -> Inflict:
    """The death of a daemon by SIGKILL."""
    return lambda session, node: fault_injection.kill(session.lab, node, service)


def _restart_api_server(session: LabSession, node: Node) -> None:
    """As an upgrade does: it finishes requests, and another process begins."""
    session.within(node, "systemctl", "restart", "--no-block", "kube-apiserver.service")


FAULTS = (
    FaultUnderLoad(
        fault=Fault(
            name="etcd-follower-silent",
            title="A follower of etcd falls silent",
            claim="Its connections end within a second, and requests go on through the others.",
            limit="two checks of the proxy, 850 ms at most",
            elsewhere=MEMBERS_LISTED,
        ),
        choose=etcd_follower,
        inflict=lambda session, node: fault_injection.isolate(session.lab, node),
        goals={ALL: 1.0},
    ),
    FaultUnderLoad(
        fault=Fault(
            name="etcd-leader-killed",
            title="The leading etcd is killed",
            claim="Writes go on after the election.",
            limit=ELECTION,
            elsewhere="the same election everywhere; with the members listed 1 to 2 s",
        ),
        choose=etcd_leader,
        inflict=kill("etcd"),
        restarts="etcd",
        goals={ALL: 1.5},
    ),
    FaultUnderLoad(
        fault=Fault(
            name="etcd-leader-silent",
            title="The leading etcd machine falls silent",
            claim="Writes go on after the election; what the lost leader was sent ends then.",
            limit=ELECTION,
            elsewhere=MEMBERS_LISTED,
        ),
        choose=etcd_leader,
        inflict=lambda session, node: fault_injection.isolate(session.lab, node),
        goals={ALL: 1.5},
        short=True,
    ),
    FaultUnderLoad(
        fault=Fault(
            name="etcd-leader-without-peers",
            title="The leading etcd loses its peers, and API servers still reach it",
            claim="API servers leave it as soon as the others have elected another leader.",
            limit=f"{ELECTION}; two rounds of questions after it, 250 ms apart",
            elsewhere=MEMBERS_LISTED,
        ),
        choose=etcd_leader,
        inflict=lambda session, node: fault_injection.isolate_from_peers(session.lab, node),
        goals={ALL: 3.0},
    ),
    FaultUnderLoad(
        fault=Fault(
            name="api-server-restarted",
            title="An API server is restarted under load",
            claim=(
                "No request fails: it finishes what it has, and says in time that it goes. Over "
                "HTTP/1.1, which cannot say so, one that is sent in that instant may."
            ),
            limit=(
                "none: a stop is announced; who asks in its last moment is told to come back after "
                "a second (429), and client-go does"
            ),
            elsewhere=(
                "without a shutdown delay behind the balancer, requests that arrive while it "
                "notices are refused"
            ),
        ),
        choose=controllers_leader,
        inflict=_restart_api_server,
        restarts="kube-apiserver",
        goals={ALL: 1.0},
        fails_nothing=True,
        short=True,
    ),
    FaultUnderLoad(
        fault=Fault(
            name="api-server-killed",
            title="An API server is killed",
            claim="systemd starts it again; clients of the others notice nothing.",
            limit="the start of kube-apiserver, or the balancer's detection of 10 s",
            elsewhere=TCP_CHECKS,
        ),
        choose=controllers_leader,
        inflict=kill("kube-apiserver"),
        restarts="kube-apiserver",
        goals={ALL: 1.0},
    ),
    FaultUnderLoad(
        fault=Fault(
            name="api-server-powered-off",
            title="An API server's machine loses its power",
            claim=(
                "New connections are served within the balancer's detection, and at once where "
                "clients try the next address."
            ),
            limit=(
                f"{DETECTION}; until then each address of the balancer leads to the dead machine "
                "one time in three, and a try of the next one may too"
            ),
            elsewhere=TCP_CHECKS,
        ),
        choose=controllers_leader,
        inflict=lambda session, node: fault_injection.power_cut(session.lab, node),
        goals={ALL: 1.0, FRESH: 11.0, NEXT: 2.0},
    ),
    FaultUnderLoad(
        fault=Fault(
            name="zone-lost",
            title="A zone is cut off",
            claim="A member, an API server, a part of the balancer are gone, and the rest goes on.",
            limit=f"{DETECTION}; {ELECTION}",
            elsewhere="the same for a stacked control plane, with the stalls of its etcd wiring",
        ),
        choose=elsewhere,
        inflict=lambda session, node: fault_injection.partition(
            session.lab, node.instance.subnet.zone
        ),
        goals={ALL: 2.0, FRESH: 11.0, NEXT: 2.0},
    ),
)
