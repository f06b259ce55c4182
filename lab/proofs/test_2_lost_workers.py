"""Proof 2: workers and the control plane fail while an application answers through its Service."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from zlib import crc32

import pytest

from lab.proofs.example_application import PORT, Application, application
from lab.proofs.figures import Figures
from lab.proofs.joined_workers import Worker, instance_of, items, lacking, machines, settled
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until, until_none
from lab.proofs.sent_metrics import greatest
from lab.proofs.service_client import ServiceClient
from lab.proofs.stack_settings import settings
from lab.proofs.strange_template import strange_template
from lab.proofs.victims import controllers_leader, elsewhere, etcd_leader
from lab.proofs.worker_loss import STEPS, Fewest, LossWatch
from lab.running import fault_injection
from lab.running.node_names import Node
from lab.workspace import Workspace
from node.contract import WorkerMetric

# The etcd tier is resized meanwhile, unless every failure is proved.
pytestmark = pytest.mark.usefixtures("resizing_begun")

TOLERATION = 10.0
"""Seconds that the example's pods tolerate the loss of their worker."""
FAR_OFF = 90.0
"""Seconds beyond the settings that a busy machine may take to replace what was lost."""
LEARNS = 10.0
"""Seconds in which kube-proxy on a busy machine has heard of an endpoint that is gone."""
FIRST, AFTER = 20, 3.0
"""Requests that are answered before anything happens; seconds of them afterwards."""
TOLD = 120.0
"""Seconds in which CloudWatch is told of a worker that is not ready: the agent that leads looks at
Nodes each 15 s, and tells each 30 s. The alarm waits 15 minutes more."""
AWAY, LONG_AWAY = 30.0, 120.0
"""Seconds that something is away."""
REFRESH = 1200.0
"""Seconds in which every worker of a pool is replaced, one after the other."""
WATCHED = 30.0
"""Seconds that a machine which does not join is watched, three times those of a pool's warm-up."""


@pytest.fixture
def pool(session: LabSession) -> Iterator[list[Worker]]:
    """At least two workers that are ready, before and afterwards."""
    found = settled(session)
    if len(found) < 2:
        pytest.skip(f"the stack has {len(found)} workers, and this takes two")
    yield found
    fault_injection.heal(session.lab)
    settled(session)


@pytest.fixture
def web(
    session: LabSession, pool: list[Worker], request: pytest.FixtureRequest
) -> Iterator[Application]:
    """The example application, with replicas on every worker; each proof has one of its own."""
    with application(session, f"proof-{crc32(request.node.name.encode()):08x}") as running:
        yield running


@contextmanager
def _asked(session: LabSession, web: Application, at: Worker) -> Iterator[ServiceClient]:
    """A client on a worker that stays, before, while and after something happens."""
    with ServiceClient(session.namespace(at.machine), web.address, PORT) as client:
        until("the Service answers", lambda: client.answered >= FIRST, 60.0)
        yield client
        time.sleep(AFTER)


def _noted(figures: Figures, what: str, client: ServiceClient) -> None:
    figures.add("workers", f"{what}: requests", client.answered, "requests")
    figures.add("workers", f"{what}: requests that nobody answered", len(client.unanswered), "")
    figures.add("workers", f"{what}: connections that failed", len(client.failed), "")
    figures.add("workers", f"{what}: longest request, with its tries", client.longest)


def test_pods_of_a_worker_that_died_answer_elsewhere(
    session: LabSession,
    figures: Figures,
    workspace: Workspace,
    pool: list[Worker],
    web: Application,
) -> None:
    """Every request is answered, by clients that try again; once the dead replicas are out of the
    Service, nobody is sent to them. CloudWatch is told that a worker is not ready."""
    victim, survivor = _busiest(web, pool)
    had = [pod.uid for pod in web.pods() if pod.node == victim.name]
    grace = settings(workspace).eviction.node_monitor_grace.total_seconds()
    with _asked(session, web, survivor) as client:
        moment = datetime.now(UTC)
        fault_injection.power_cut(session.lab, victim.machine)
        began = time.time()
        steps = LossWatch(web, victim.name, had).until_replaced(grace + TOLERATION + FAR_OFF)
    for step, what in STEPS.items():
        figures.add("workers", f"a worker loses power: {what} after", steps[step])
    _noted(figures, "a worker loses power", client)
    assert client.unanswered == []
    sent = [one for one in client.failed if one.at > began + steps["left"] + LEARNS]
    assert sent == []
    until("it is told", lambda: greatest(session, WorkerMetric.NOT_READY_SECONDS, moment), TOLD)
    figures.add("workers", "a worker loses power: told after", time.time() - began)
    back = time.monotonic()
    fault_injection.heal(session.lab)
    settled(session)
    figures.add("workers", "power back to ready", time.monotonic() - back)


def test_a_worker_that_goes_is_drained_within_the_budget(
    session: LabSession, figures: Figures, pool: list[Worker], web: Application
) -> None:
    """As its group ends one: for a refresh, for another zone, to shrink. What CloudWatch is told of
    it is far from an alarm."""
    victim, survivor = _busiest(web, pool)
    instance = victim.machine.instance.id
    moment = datetime.now(UTC)
    with _asked(session, web, survivor) as client, Fewest(web) as fewest:
        began = time.monotonic()
        session.lab.aws("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=instance, ShouldDecrementDesiredCapacity=False
        )
        until_none("it is emptied", lambda: _pods_on(web, victim))
        figures.add("workers", "a worker is drained: empty after", time.monotonic() - began)
        until_none("its machine is gone", lambda: _still_there(session, {instance}))
        figures.add("workers", "a worker is drained: gone after", time.monotonic() - began)
        until_none("its node is gone", lambda: _nodes_of(session, {instance}))
        until_none("another one is ready", lambda: _short_of(session, len(pool)))
        figures.add("workers", "a worker is drained: replaced after", time.monotonic() - began)
        until_none("the application is whole", web.lacking)
    _noted(figures, "a worker is drained", client)
    figures.add("workers", "a worker is drained: fewest replicas", fewest.serving, "replicas")
    assert client.unanswered == []
    assert fewest.serving >= web.replicas - 1
    # It takes longer than the half minute between two values.
    values = {metric: greatest(session, metric, moment) for metric in WorkerMetric}
    told = {metric: value for metric, value in values.items() if value is not None}
    assert told.keys() == values.keys()
    took = time.monotonic() - began
    assert told[WorkerMetric.MISSING_SECONDS] <= took, told
    # Nodes are read each 15 s, so that the successor may count for as long.
    assert told[WorkerMetric.NOT_READY_SECONDS] < 60, told
    assert told[WorkerMetric.UNDECIDED_REQUEST_SECONDS] < 60, told


LOSSES: dict[str, tuple[Callable[[LabSession], Node], Callable[[LabSession, Node], object]]] = {
    "an API server loses power": (
        controllers_leader,
        lambda session, node: fault_injection.power_cut(session.lab, node),
    ),
    "the leading etcd machine falls silent": (
        etcd_leader,
        lambda session, node: fault_injection.isolate(session.lab, node),
    ),
    "a zone is cut off": (
        elsewhere,
        lambda session, node: fault_injection.partition(session.lab, node.instance.subnet.zone),
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.usefixtures("takes_long", "whole")
def test_an_application_answers_while(
    session: LabSession,
    figures: Figures,
    pool: list[Worker],
    web: Application,
    loss: str,
) -> None:
    choose, inflict = LOSSES[loss]
    node = choose(session)
    zone = node.instance.subnet.zone
    outside = [worker for worker in pool if worker.machine.instance.subnet.zone != zone]
    if not outside:
        pytest.skip(f"no worker is outside of {zone}")
    with _asked(session, web, outside[0]) as client:
        inflict(session, node)
        time.sleep(AWAY)
        fault_injection.heal(session.lab)
        until("the cluster is whole again", session.ready)
    _noted(figures, loss, client)
    assert client.unanswered == []


@pytest.mark.usefixtures("takes_long", "whole")
def test_applications_go_on_without_a_control_plane(
    session: LabSession,
    figures: Figures,
    pool: list[Worker],
    web: Application,
) -> None:
    """No pod moves when it is back, and every worker is ready by itself."""
    before = {pod.uid for pod in web.pods()}
    with _asked(session, web, pool[0]) as client:
        for tier in ("api", "etcd"):
            for node in session.nodes(tier):
                fault_injection.power_cut(session.lab, node)
        time.sleep(LONG_AWAY)
        back = time.monotonic()
        fault_injection.heal(session.lab)
        until("the control plane is whole again", session.ready)
        settled(session)
        figures.add("workers", "control plane back to workers ready", time.monotonic() - back)
    _noted(figures, "no control plane", client)
    assert client.unanswered == []
    assert {pod.uid for pod in web.pods()} == before


@pytest.mark.usefixtures("takes_long", "whole")
def test_a_rolling_refresh_never_goes_below_the_budget(
    session: LabSession,
    figures: Figures,
    pool: list[Worker],
    web: Application,
) -> None:
    """As a change of the launch template starts it."""
    groups = session.lab.aws("autoscaling")
    old = {worker.machine.instance.id for worker in pool}
    members = groups.describe_auto_scaling_instances(InstanceIds=sorted(old))
    names = {one["AutoScalingGroupName"] for one in members["AutoScalingInstances"]}
    began = time.monotonic()
    with Fewest(web) as fewest:
        started = {
            name: groups.start_instance_refresh(
                AutoScalingGroupName=name,
                Preferences={
                    "MinHealthyPercentage": 100,
                    "MaxHealthyPercentage": 110,
                    "InstanceWarmup": 0,
                },
            )["InstanceRefreshId"]
            for name in sorted(names)
        }
        until_none("every group is refreshed", lambda: _unfinished(session, started), REFRESH)
        until_none("the old machines are gone", lambda: _still_there(session, old))
        until_none("the new ones are ready", lambda: _short_of(session, len(pool)))
        until_none("the application is whole", web.lacking)
    figures.add("workers", "rolling refresh: all replaced after", time.monotonic() - began)
    figures.add("workers", "rolling refresh: fewest replicas", fewest.serving, "replicas")
    assert fewest.serving >= web.replicas - 1


@pytest.mark.usefixtures("takes_long", "whole")
def test_a_template_whose_machines_never_join_replaces_nobody(
    session: LabSession, pool: list[Worker], web: Application
) -> None:
    """The refresh waits; cancelled, it leaves the pool as it was."""
    with (
        _asked(session, web, pool[0]) as client,
        Fewest(web) as fewest,
        strange_template(session, pool[0]) as group,
    ):
        old = group.states()
        assert set(old.values()) == {"InService"}
        group.refresh()
        until("a machine runs and has not joined", lambda: _waits(group.states(), old), 300.0)
        deadline = time.monotonic() + WATCHED
        while time.monotonic() < deadline:
            now = group.states()
            assert _waits(now, old)
            assert {one: now.get(one) for one in old} == old
            time.sleep(1)
    assert group.states() == old
    assert _short_of(session, len(pool)) == []
    assert client.unanswered == []
    assert fewest.serving >= web.replicas - 1


def _waits(now: dict[str, str], old: dict[str, str]) -> bool:
    """Whether what a group has besides the old machines waits to join."""
    return {state for one, state in now.items() if one not in old} == {"Pending:Wait"}


def _busiest(web: Application, pool: list[Worker]) -> tuple[Worker, Worker]:
    """The worker with most replicas, and another one."""
    on = [pod.node for pod in web.pods() if pod.serves]
    victim = max(pool, key=lambda worker: on.count(worker.name))
    assert victim.name in on
    return victim, next(worker for worker in pool if worker != victim)


def _pods_on(web: Application, worker: Worker) -> list[str]:
    found = web.attempt_pods()
    if found is None:
        return ["the API does not answer"]
    return [f"{pod.name} is there" for pod in found if pod.node == worker.name]


def _still_there(session: LabSession, ids: set[str]) -> list[str]:
    found = session.lab.account().instances
    return [f"{one} is {found[one].state}" for one in sorted(ids & found.keys())]


def _nodes_of(session: LabSession, ids: set[str]) -> list[str]:
    nodes = items(session, "/api/v1/nodes")
    if nodes is None:
        return ["the API does not answer"]
    return [node["metadata"]["name"] for node in nodes if instance_of(node) in ids]


def _short_of(session: LabSession, number: int) -> list[str]:
    """What a pool lacks of so many workers that are ready."""
    there = len(machines(session))
    return [*([f"{there} of {number} machines"] if there < number else []), *lacking(session)]


def _unfinished(session: LabSession, started: dict[str, str]) -> list[str]:
    """Refreshes that go on. Raises AssertionError for one that failed."""
    groups, left = session.lab.aws("autoscaling"), []
    for name, refresh in started.items():
        (found,) = groups.describe_instance_refreshes(
            AutoScalingGroupName=name, InstanceRefreshIds=[refresh]
        )["InstanceRefreshes"]
        assert found["Status"] not in {"Failed", "Cancelled", "RollbackFailed"}, found
        if found["Status"] != "Successful":
            left.append(f"{name}: {found['Status']}, {found.get('PercentageComplete', 0)} %")
    return left
