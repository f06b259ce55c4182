"""Proof 3: a leading controller dies, stands still, or loses its machine; another one goes on."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from lab.proofs.journal_events import events
from lab.proofs.kubernetes_api import Api, api, namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.load.fault_record import Fault, FaultRecord, Measure, recorded_without_load
from lab.proofs.polling import until
from lab.proofs.tls import RefusedError
from lab.running import fault_injection
from lab.running.node_names import Node
from lab.running.node_snapshot import LEADERS, held_by

pytestmark = pytest.mark.usefixtures("whole")

NAMESPACE = "proof-leases"
PATIENCE = 5.0
"""Seconds for an answer: connections to an API server that is gone get none."""
JITTER = 1.2
"""Of client-go's retries, which come after one period and up to 1.2 more (leaderelection)."""
LEASE, RETRY = 15.0, 2.0
"""Seconds: controllers.leaseDuration and retryPeriod of the stack, the defaults."""
EXPIRY = LEASE + RETRY * (1 + JITTER)
BEFORE = 2.0
"""Seconds of the journals before a fault."""
REPLICAS = 2


@dataclass(frozen=True)
class Breakdown:
    """What becomes of a leader."""

    name: str
    title: str
    inflict: Callable[[LabSession, Node, str], object]
    goal: float
    """Seconds until another leads."""
    limit: str
    short: bool = False
    restarts: bool = False
    """Its unit starts it again, and it may lead again."""
    stands_still: bool = False
    """Its process is still there, and goes on when another leads."""


def _stand_still(session: LabSession, node: Node, controller: str) -> None:
    _signal(session, node, controller, "STOP")


def _signal(session: LabSession, node: Node, controller: str, signal: str) -> None:
    unit = f"{controller}.service"
    session.within(node, "systemctl", "kill", f"--signal={signal}", "--kill-whom=main", unit)


BREAKDOWNS = (
    Breakdown(
        "killed",
        "is killed",
        lambda session, node, controller: fault_injection.kill(session.lab, node, controller),
        2.0,
        "its unit releases its lease; a standby asks again after 2 to 4.4 s, and there are two",
        short=True,
        restarts=True,
    ),
    Breakdown(
        "standing-still",
        "stands still (SIGSTOP)",
        _stand_still,
        EXPIRY,
        f"the lease of {LEASE:g} s, and a retry of {RETRY:g} to {RETRY * (1 + JITTER):g} s",
        stands_still=True,
    ),
    Breakdown(
        "powered-off",
        "loses its machine's power",
        lambda session, node, _: fault_injection.power_cut(session.lab, node),
        EXPIRY,
        f"the lease of {LEASE:g} s, and a retry of {RETRY:g} to {RETRY * (1 + JITTER):g} s: nobody "
        "can tell a machine that is off from one that is cut off and still acts",
    ),
)


@pytest.mark.parametrize("controller", LEADERS)
@pytest.mark.parametrize("breakdown", BREAKDOWNS, ids=lambda breakdown: breakdown.name)
def test_another_leads_and_takes_the_work_over(
    request: pytest.FixtureRequest,
    session: LabSession,
    fault_records: list[FaultRecord],
    breakdown: Breakdown,
    controller: str,
) -> None:
    if not breakdown.short:
        request.getfixturevalue("takes_long")
    through = api(session.kubectl, PATIENCE)
    with namespace(session.kubectl, NAMESPACE):
        before = _holder(through, controller)
        led = next(node for node in session.nodes("api") if held_by(before, node))
        process = session.process(led, controller)
        began = time.time()
        breakdown.inflict(session, led, controller)
        until("the work is given", lambda: _given(through))
        holder = until("another leads", lambda: _another(through, controller, before))
        leads = time.time() - began
        until("the work is done", lambda: _done(through, controller))
        worked = time.time() - began
        ended = time.time()
        if breakdown.stands_still:
            _signal(session, led, controller, "CONT")
            # It finds another's lease, and ends rather than act on.
            until("the former ends", lambda: session.process(led, controller) != process)
    assert _holder(through, controller) == holder
    assert breakdown.restarts or not held_by(holder, led)
    fault = Fault(
        name=f"{controller.removeprefix('kube-')}-{breakdown.name}",
        title=f"The leading {controller} {breakdown.title}",
        claim="Another one leads, and does what was asked for meanwhile.",
        limit=breakdown.limit,
        elsewhere=(
            "with leader election at its defaults a lease is waited for, 15 to 19 s, also when the "
            "leader was only killed"
        ),
    )
    measures = [
        Measure("another leads after", leads, breakdown.goal),
        Measure("a Deployment made meanwhile is acted on after", worked, None),
    ]
    fault_records.append(
        recorded_without_load(
            fault, measures, began=began, ended=ended, events=events(session, began, BEFORE)
        )
    )
    assert leads <= 2 * breakdown.goal + PATIENCE


def _ask(
    through: Api, path: str, method: str = "GET", document: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A document; an empty one while nobody answers."""
    try:
        answer = through.ask(path, method=method, document=document)
    except (OSError, RefusedError):
        return {}
    return json.loads(answer.body) if answer.status in {200, 201, 409} else {}


def _holder(through: Api, controller: str) -> str:
    """Who holds a lease; nobody if it cannot be asked now."""
    lease = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{controller}"
    return str(_ask(through, lease).get("spec", {}).get("holderIdentity") or "")


def _another(through: Api, controller: str, before: str) -> str:
    holder = _holder(through, controller)
    return holder if holder != before else ""


def _given(through: Api) -> bool:
    labels = {"app": "work"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "work", "image": "registry.invalid/work:1"}]},
    }
    spec = {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template}
    document = {"metadata": {"name": "work"}, "spec": spec}
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    return bool(_ask(through, path, "POST", document))


def _done(through: Api, controller: str) -> bool:
    """Whether there are the pods, and the scheduler has looked at each: it has found a worker or
    none."""
    pods = _ask(through, f"/api/v1/namespaces/{NAMESPACE}/pods").get("items", [])
    if controller == "kube-scheduler":
        pods = [
            pod
            for pod in pods
            for condition in pod["status"].get("conditions", [])
            if condition["type"] == "PodScheduled"
        ]
    return len(pods) == REPLICAS
