"""Loss of a worker, step by step as Kubernetes tells it: dead, out of the Service, evicted, and
replaced elsewhere."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lab.proofs.background import Background
from lab.proofs.example_application import NAME, Application
from lab.proofs.joined_workers import Document, condition, items, read
from lab.proofs.pods import Pod
from lab.proofs.polling import PAUSE

STEPS: Mapping[str, str] = {
    "dead": "its node counts as dead",
    "left": "its pods are out of the Service",
    "evicted": "its pods are evicted",
    "scheduled": "other workers have their replacements",
    "answering": "the replacements answer",
}
"""Steps in their order, with what figures call them."""


@dataclass(frozen=True)
class View:
    """What is known of the cluster at one moment."""

    node: Document
    """The worker's node."""
    slices: Iterable[Document]
    """EndpointSlices of the Service."""
    pods: Iterable[Pod]
    """The application's."""


def reached(view: View, worker: str, before: Iterable[str], replicas: int) -> set[str]:
    """The steps that are done after the loss of a worker; `before` are the uids of the pods that it
    had. Pure."""
    lost, pods = set(before), list(view.pods)
    endpoints = [one for part in view.slices for one in part.get("endpoints") or []]
    here = [pod for pod in pods if pod.uid in lost]
    elsewhere = [pod for pod in pods if pod.node not in {"", worker} and not pod.deleting]
    done = {
        "dead": condition(view.node, "Ready").get("status") == "Unknown",
        "left": not any(
            one.get("nodeName") == worker and one["conditions"].get("ready") for one in endpoints
        ),
        "evicted": all(pod.deleting for pod in here),
        "scheduled": len(elsewhere) >= replicas,
        "answering": len([pod for pod in elsewhere if pod.serves]) >= replicas,
    }
    return {step for step, is_done in done.items() if is_done}


@dataclass
class LossWatch:
    """Looks until every step is done."""

    application: Application
    worker: str
    before: list[str]
    """Uids of the pods that the worker had."""
    seconds: dict[str, float] = field(default_factory=dict)
    """When each step was first seen, since the watch was made."""
    began: float = field(default_factory=time.monotonic)

    def until_replaced(self, patience: float) -> Mapping[str, float]:
        """Seconds of each step. Raises AssertionError when one does not come."""
        deadline = self.began + patience
        while missing := [step for step in STEPS if step not in self.seconds]:
            view = self._look()
            now = time.monotonic()
            if view is not None:
                done = reached(view, self.worker, self.before, self.application.replicas)
                for step in done:
                    self.seconds.setdefault(step, now - self.began)
            if now > deadline:
                what = ", ".join(STEPS[step] for step in missing)
                raise AssertionError(
                    f"waited {patience:.0f} s in vain: {what}; done: {self.seconds}, "
                    f"{self.application.lacking()}"
                )
            time.sleep(PAUSE)
        return self.seconds

    def _look(self) -> View | None:
        """None where the API does not answer."""
        session, space = self.application.session, self.application.namespace
        node = read(session, f"/api/v1/nodes/{self.worker}")
        slices = items(
            session,
            f"/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices"
            f"?labelSelector=kubernetes.io/service-name={NAME}",
        )
        found = self.application.attempt_pods()
        if node is None or slices is None or found is None:
            return None
        return View(node, slices, found)


class Fewest(Background):
    """The fewest replicas that served while its context lasted."""

    pause = 0.3

    def __init__(self, application: Application) -> None:
        super().__init__()
        self._application = application
        self.serving = application.replicas

    def _step(self) -> None:
        found = self._application.attempt_pods()
        if found is not None:
            self.serving = min(self.serving, len([one for one in found if one.serves]))
