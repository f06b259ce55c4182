"""Drain: no new pods, and those that are here leave through the Eviction API, before the end.

Done as the kubelet of this worker: its certificate may cordon its own Node and evict the pods on it
(Node authorizer, NodeRestriction), and nothing else; no right of another is lent to a worker. One
run takes as long as the drain does; a run that is stopped is taken up by the next, with its time.
"""

import json
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from node import files
from node.contract import RUNTIME, STRANDED_ANNOTATION
from node.errors import NodeError
from node.settings import Settings, WorkerSettings, at
from node.worker import certificate, identity
from node.worker.drain_plan import Pod, Progress, eviction, over, pods, said
from node.worker.identity import Identity
from node.worker.kubelet_client import KubernetesApi, RefusedError, as_kubelet
from node.worker.termination import Termination

STATE = f"{RUNTIME}/drain.json"
"""When the drain began and what it waits for; gone after a reboot, when the clock begins again."""

PAUSE_SECONDS = 5
"""Between two rounds: a budget that refused may allow it once a pod elsewhere is ready."""
HEARTBEAT_SECONDS = 300
"""Between two heartbeats, so that AWS outwaits the drain rather than cutting it short."""


@dataclass(frozen=True)
class State:
    """How a drain is, from one run to the next."""

    since: float
    """When it began, in seconds of time.monotonic(), which all processes since boot share."""
    said: str = ""
    ended: bool = False
    told: bool = False
    """Whether AWS was told so, by the lifecycle hook."""


def state() -> State | None:
    """The drain that is under way or over; None when none is."""
    try:
        return State(**json.loads(files.read(at(STATE)) or ""))
    except (ValueError, TypeError):
        return None


def run(settings: Settings, worker: WorkerSettings, end: Termination) -> str:
    """Drain this worker and tell AWS; what came of it. Raises NodeError when AWS was not told."""
    me = identity.insist()
    known = state() or State(time.monotonic())
    if known.ended and (known.told or not end.hooked):
        return f"waiting for the end of this instance: {known.said}"
    drain = _Drain(settings, worker, end, me, known.since)
    why = drain.until_over() if certificate.joined() else "never joined, so nothing runs here"
    if end.hooked:
        _save(State(known.since, f"{why}; telling AWS"))
        drain.hook().complete()
    _save(State(known.since, why, ended=True, told=end.hooked))
    return f"drained {me.name}: {why}"


def _save(now: State) -> None:
    files.write(at(STATE), json.dumps(asdict(now)))


def pause() -> None:
    """Wait for the next round."""
    time.sleep(PAUSE_SECONDS)


class _Drain:
    """The rounds of a drain."""

    def __init__(
        self,
        settings: Settings,
        worker: WorkerSettings,
        end: Termination,
        me: Identity,
        since: float,
    ) -> None:
        self._settings, self._worker, self._end, self._me = settings, worker, end, me
        self._since, self._answered = since, time.monotonic()
        self._heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        self._progress = Progress(0)

    def hook(self) -> Any:  # noqa: ANN401  imported late
        """The lifecycle hook. boto3 costs half a second of CPU, just when pods need it."""
        from node.worker.lifecycle_hook import LifecycleHook  # noqa: PLC0415

        return LifecycleHook(self._worker.drain_hook, self._settings, self._worker, self._me)

    def until_over(self) -> str:
        """Drain; why it is over."""
        told = ""
        while True:
            self._round()
            now = said(self._progress)
            if reason := over(self._progress, datetime.now(UTC)):
                return reason
            _save(State(self._since, now))
            if now != told:
                print(f"draining: {now}", flush=True)
                told = now
            self._beat()
            pause()

    def _round(self) -> None:
        """Ask for what is left, and evict it."""
        self._progress = replace(self._progress, spot=self._end.left())
        try:
            with closing(as_kubelet(self._settings, self._worker.api)) as api:
                stranded = self._cordon(api)
                left, refused = self._evict(api)
        except NodeError as error:
            silent = max(time.monotonic() - self._answered, 1e-3)
            self._progress = replace(self._progress, silent=silent, trouble=str(error))
        else:
            self._answered = time.monotonic()
            self._progress = replace(
                self._progress, silent=0, left=left, refused=refused, stranded=stranded
            )
        self._progress = replace(
            self._progress, seconds=time.monotonic() - self._since, spot=self._end.left()
        )

    def _cordon(self, api: KubernetesApi) -> bool:
        """Have no more pods scheduled here; whether no other node takes any either.

        Without a Node, none is. What is cordoned already is not written again.
        """
        try:
            node = api.patch(
                f"/api/v1/nodes/{quote(self._me.name)}", {"spec": {"unschedulable": True}}
            )
        except RefusedError as error:
            if error.status != 404:
                raise
            return False
        annotations = node.get("metadata", {}).get("annotations") or {}
        return annotations.get(STRANDED_ANNOTATION) == "true"

    def _evict(self, api: KubernetesApi) -> tuple[tuple[Pod, ...], Mapping[Pod, str]]:
        """Evict what was not told to end; what is left, and what was refused."""
        # A kubelet may list the pods of its own node only, by exactly this selector.
        mine = quote(f"spec.nodeName={self._me.name}")
        left = tuple(pods(api.get(f"/api/v1/pods?fieldSelector={mine}")["items"]))
        refused: dict[Pod, str] = {}
        for pod in left:
            if pod.ends is not None:
                continue
            path = f"/api/v1/namespaces/{quote(pod.namespace)}/pods/{quote(pod.name)}/eviction"
            try:
                api.post(path, eviction(pod, self._end.left()))
            except RefusedError as error:
                # Gone, or another of its name: the next round's list says.
                if error.status not in {404, 409}:
                    refused[pod] = error.message
        return left, refused

    def _beat(self) -> None:
        """Ask AWS for more time when it is due. A failure is tried again in a minute."""
        if not self._end.hooked or time.monotonic() < self._heartbeat:
            return
        self._heartbeat = time.monotonic() + 60
        with suppress(NodeError):
            self.hook().heartbeat()
            self._heartbeat = time.monotonic() + HEARTBEAT_SECONDS
