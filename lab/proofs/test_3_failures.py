"""Proof 3: under a client that writes, one daemon, machine or zone fails, and the rest goes on."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lab.proofs.configmap_writer import Writer
from lab.proofs.failures import CRASHES, LOSSES, Crash, Loss, etcd_follower, etcd_leader
from lab.proofs.figures import Figures
from lab.proofs.kubernetes_api import Api, api, namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.proofs.port_probe import reaches_aws
from lab.proofs.tls import RefusedError
from lab.running import fault_injection
from lab.running.node_names import Node
from lab.running.node_snapshot import LEADERS, held_by

NAMESPACE = "proof-failures"
WRITES = 10
"""Acknowledged before something fails, and again while it is away."""
AWAY = 30.0
"""Seconds that something is away: the load balancer takes 10 to notice, etcd's clients up to 40."""
PATIENCE = 5.0
"""Seconds that the client waits for one answer. AWS's load balancer, and the lab's, leave a
connection to a target that is gone without an answer, so a client that waits for ever would."""
SOON = 60.0
"""Seconds in which the rest goes on; what it really takes is a figure."""


@pytest.fixture(scope="module", autouse=True)
def own_namespace(session: LabSession, may_take_long: None) -> Iterator[None]:
    """What these proofs write goes into a namespace of theirs."""
    with namespace(session.kubectl, NAMESPACE):
        yield


@pytest.fixture(autouse=True)
def whole(session: LabSession) -> Iterator[None]:
    """Each proof begins with a cluster that is whole, and leaves no fault."""
    until("the cluster is ready", session.ready)
    yield
    fault_injection.heal(session.lab)


@pytest.fixture
def writer(session: LabSession, request: pytest.FixtureRequest) -> Iterator[Writer]:
    """The client; what it wrote is still there at the end, whatever failed."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    with Writer(api(session.kubectl, PATIENCE), NAMESPACE, name) as client:
        _goes_on(client)
        yield client
    assert client.kept() >= client.acknowledged


def _goes_on(writer: Writer) -> None:
    before = writer.acknowledged
    until("writes are acknowledged", lambda: writer.acknowledged >= before + WRITES, SOON)


def _note(figures: Figures, what: str, writer: Writer, whole: float) -> None:
    figures.add("failures", f"{what}: longest write stall", writer.stall)
    figures.add("failures", f"{what}: failed writes", writer.failed, "")
    figures.add("failures", f"{what}: whole again after", whole)


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: crash.what)
def test_a_daemon_that_crashes_is_started_again_and_writes_go_on(
    session: LabSession, figures: Figures, writer: Writer, crash: Crash
) -> None:
    node = crash.choose(session)
    began = time.monotonic()
    killed = fault_injection.kill(session.lab, node, crash.service)
    until("it runs again", lambda: session.process(node, crash.service) not in {0, killed}, SOON)
    until("the cluster is whole again", session.ready)
    took = time.monotonic() - began
    _goes_on(writer)
    _note(figures, crash.what, writer, took)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.what)
def test_writes_go_on_while_something_is_away(
    session: LabSession, figures: Figures, writer: Writer, loss: Loss
) -> None:
    node = loss.choose(session)
    loss.inflict(session.lab, node)
    time.sleep(AWAY)
    _goes_on(writer)
    assert _away(session, node)
    began = time.monotonic()
    fault_injection.heal(session.lab)
    until("the cluster is whole again", session.ready)
    _note(figures, loss.what, writer, time.monotonic() - began)


@pytest.mark.parametrize("controller", LEADERS)
def test_after_a_leading_controller_crashed_another_leads(
    session: LabSession, figures: Figures, controller: str
) -> None:
    taken = _take_over(
        session, controller, lambda node: fault_injection.kill(session.lab, node, controller)
    )
    figures.add("failures", f"{controller} crashes: another leads after", taken.seconds)


@pytest.mark.parametrize("controller", LEADERS)
def test_after_the_machine_of_a_leading_controller_lost_its_power_another_leads(
    session: LabSession, figures: Figures, controller: str
) -> None:
    taken = _take_over(
        session, controller, lambda node: fault_injection.power_cut(session.lab, node)
    )
    assert _machine(session, taken.holder) != taken.led
    what = f"the machine of the leading {controller} loses power: another leads after"
    figures.add("failures", what, taken.seconds)


def test_without_a_quorum_nothing_is_acknowledged_and_no_api_server_restarts(
    session: LabSession, figures: Figures, writer: Writer
) -> None:
    servers = session.nodes("api")
    before = [session.process(node, "kube-apiserver") for node in servers]
    for node in (etcd_leader(session), etcd_follower(session)):
        fault_injection.power_cut(session.lab, node)
    # Whatever was under way has its answer by then.
    time.sleep(PATIENCE)
    acknowledged = writer.acknowledged
    time.sleep(AWAY)
    assert writer.acknowledged == acknowledged
    # With no healthy target at all the load balancer sends connections to each of them.
    alive = api(session.kubectl).ask("/livez?exclude=etcd")
    assert alive.status == 200, alive.body
    began = time.monotonic()
    fault_injection.heal(session.lab)
    until("the cluster is whole again", session.ready)
    took = time.monotonic() - began
    _goes_on(writer)
    assert [session.process(node, "kube-apiserver") for node in servers] == before
    figures.add("failures", "two of three etcd machines lose power: whole again after", took)


def _away(session: LabSession, node: Node) -> bool:
    """Whether a machine has no power, or reaches nobody."""
    return session.lab.machine(node).init() is None or not reaches_aws(session.namespace(node))


@dataclass(frozen=True)
class TakeOver:
    """Of a lease."""

    led: Node
    """Whose controller held it."""
    holder: str
    """Who holds it now."""
    seconds: float


def _take_over(session: LabSession, controller: str, inflict: Callable[[Node], object]) -> TakeOver:
    """Break the machine whose controller leads, and wait until another process does."""
    through = api(session.kubectl, PATIENCE)
    before = _holder(through, controller)
    led = _machine(session, before)

    def another() -> str | None:
        holder = _holder(through, controller)
        return holder if holder != before else None

    began = time.monotonic()
    inflict(led)
    holder = until("another leads", another, SOON)
    return TakeOver(led, holder, time.monotonic() - began)


def _holder(through: Api, controller: str) -> str:
    """Who holds a lease; nobody if it cannot be asked now."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{controller}"
    try:
        answer = through.ask(path)
    except (OSError, RefusedError):
        return ""
    if answer.status != 200:
        return ""
    return str(json.loads(answer.body)["spec"].get("holderIdentity") or "")


def _machine(session: LabSession, holder: str) -> Node:
    return next(node for node in session.nodes("api") if held_by(holder, node))
