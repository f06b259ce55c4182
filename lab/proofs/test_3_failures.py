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
from lab.proofs.lab_session import Subject
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
"""Seconds that something is away: the balancer takes 10 to notice, etcd's clients up to 40."""
PATIENCE = 5.0
"""Seconds that the client waits for one answer. AWS's balancer, and the lab's, leave a connection
to a target that is gone without an answer, so a client that waits for ever would."""
SOON = 60.0
"""Seconds in which the rest goes on; what it really takes is a figure."""


@pytest.fixture(scope="module", autouse=True)
def own_namespace(subject: Subject, may_take_long: None) -> Iterator[None]:
    """What these proofs write goes into a namespace of theirs."""
    with namespace(subject.kubectl, NAMESPACE):
        yield


@pytest.fixture(autouse=True)
def whole(subject: Subject) -> Iterator[None]:
    """Each proof begins with a cluster that is whole, and leaves no harm."""
    until("the cluster is ready", subject.ready)
    yield
    fault_injection.heal(subject.lab)


@pytest.fixture
def writer(subject: Subject, request: pytest.FixtureRequest) -> Iterator[Writer]:
    """The client; what it wrote is still there at the end, whatever failed."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    with Writer(api(subject.kubectl, PATIENCE), NAMESPACE, name) as client:
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
    subject: Subject, figures: Figures, writer: Writer, crash: Crash
) -> None:
    node = crash.choose(subject)
    began = time.monotonic()
    killed = fault_injection.kill(subject.lab, node, crash.service)
    until("it runs again", lambda: subject.process(node, crash.service) not in {0, killed}, SOON)
    until("the cluster is whole again", subject.ready)
    took = time.monotonic() - began
    _goes_on(writer)
    _note(figures, crash.what, writer, took)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.what)
def test_writes_go_on_while_something_is_away(
    subject: Subject, figures: Figures, writer: Writer, loss: Loss
) -> None:
    node = loss.choose(subject)
    loss.inflict(subject.lab, node)
    time.sleep(AWAY)
    _goes_on(writer)
    assert _away(subject, node)
    began = time.monotonic()
    fault_injection.heal(subject.lab)
    until("the cluster is whole again", subject.ready)
    _note(figures, loss.what, writer, time.monotonic() - began)


@pytest.mark.parametrize("controller", LEADERS)
def test_after_a_leading_controller_crashed_another_leads(
    subject: Subject, figures: Figures, controller: str
) -> None:
    taken = _take_over(
        subject, controller, lambda node: fault_injection.kill(subject.lab, node, controller)
    )
    figures.add("failures", f"{controller} crashes: another leads after", taken.seconds)


@pytest.mark.parametrize("controller", LEADERS)
def test_after_the_machine_of_a_leading_controller_lost_its_power_another_leads(
    subject: Subject, figures: Figures, controller: str
) -> None:
    taken = _take_over(
        subject, controller, lambda node: fault_injection.power_cut(subject.lab, node)
    )
    assert _machine(subject, taken.holder) != taken.led
    what = f"the machine of the leading {controller} loses power: another leads after"
    figures.add("failures", what, taken.seconds)


def test_without_a_quorum_nothing_is_acknowledged_and_no_api_server_restarts(
    subject: Subject, figures: Figures, writer: Writer
) -> None:
    servers = subject.nodes("api")
    before = [subject.process(node, "kube-apiserver") for node in servers]
    for node in (etcd_leader(subject), etcd_follower(subject)):
        fault_injection.power_cut(subject.lab, node)
    # Whatever was under way has its answer by then.
    time.sleep(PATIENCE)
    acknowledged = writer.acknowledged
    time.sleep(AWAY)
    assert writer.acknowledged == acknowledged
    # With no healthy target at all the balancer sends connections to each of them.
    alive = api(subject.kubectl).ask("/livez?exclude=etcd")
    assert alive.status == 200, alive.body
    began = time.monotonic()
    fault_injection.heal(subject.lab)
    until("the cluster is whole again", subject.ready)
    took = time.monotonic() - began
    _goes_on(writer)
    assert [subject.process(node, "kube-apiserver") for node in servers] == before
    figures.add("failures", "two of three etcd machines lose power: whole again after", took)


def _away(subject: Subject, node: Node) -> bool:
    """Whether a machine has no power, or reaches nobody."""
    return subject.lab.machine(node).init() is None or not reaches_aws(subject.namespace(node))


@dataclass(frozen=True)
class TakeOver:
    """Of a lease."""

    led: Node
    """Whose controller held it."""
    holder: str
    """Who holds it now."""
    seconds: float


def _take_over(subject: Subject, controller: str, inflict: Callable[[Node], object]) -> TakeOver:
    """Harm the machine whose controller leads, and wait until another process does."""
    through = api(subject.kubectl, PATIENCE)
    before = _holder(through, controller)
    led = _machine(subject, before)

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


def _machine(subject: Subject, holder: str) -> Node:
    return next(node for node in subject.nodes("api") if held_by(holder, node))
