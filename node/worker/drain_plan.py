"""Plan of a drain: which pods leave, and when it is over. Pure.

A drain must end whatever happens: AWS ends the instance anyway, and `pulumi destroy` waits for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.contract import DRAIN_SECONDS, LONGEST_DRAIN_SECONDS

LIMIT_SECONDS = DRAIN_SECONDS - 60
"""Of a drain in which nothing leaves any more, as when a disruption budget never allows it: a
minute before the hook's own end, of which half a minute passed before the drain began."""
SILENT_SECONDS = 60
"""Without an API server: a cluster that is being destroyed, or one that nobody can move pods in."""
LATE_SECONDS = 30
"""After the time that a pod may take to end: kubelet kills it, and tells the API server."""
SPOT_MARGIN_SECONDS = 10
"""Between the time that pods are killed at and the one at which EC2 takes a Spot Instance back."""

SHOWN = 5
"""Pods that a line names."""

MIRROR = "kubernetes.io/config.mirror"
"""Annotation of a static pod's image in the API: kubelet makes it from a file, and again."""


@dataclass(frozen=True)
class Pod:
    """A pod that leaves."""

    namespace: str
    name: str
    uid: str
    grace: int
    """Seconds between SIGTERM and SIGKILL that it asks for."""
    ends: datetime | None = None
    """When it is killed at the latest; None unless it was told to end."""

    @property
    def path(self) -> str:
        """As people write it."""
        return f"{self.namespace}/{self.name}"


def pods(items: Sequence[Mapping[str, Any]]) -> Iterator[Pod]:
    """Those of a node's pods that leave: all but static pods, DaemonSets' and those that ended.

    A DaemonSet's pod would come back at once, since it tolerates every node; what ended holds
    nothing. Pods of no controller leave as well: they would end with the instance.
    """
    for item in items:
        meta, spec = item["metadata"], item.get("spec", {})
        owners = meta.get("ownerReferences") or []
        if (
            MIRROR in (meta.get("annotations") or {})
            or any(owner["kind"] == "DaemonSet" and owner.get("controller") for owner in owners)
            or item.get("status", {}).get("phase") in {"Succeeded", "Failed"}
        ):
            continue
        grace = spec.get("terminationGracePeriodSeconds")
        ends = meta.get("deletionTimestamp")
        yield Pod(
            meta["namespace"],
            meta["name"],
            meta["uid"],
            30 if grace is None else int(grace),
            datetime.fromisoformat(ends) if ends else None,
        )


def eviction(pod: Pod, left: float | None) -> dict[str, Any]:
    """The eviction of a pod, which disruption budgets may refuse; `left` are the seconds that EC2
    leaves a Spot Instance. The pod is the one of that UID: a StatefulSet's next has the same name.
    """
    options: dict[str, Any] = {"preconditions": {"uid": pod.uid}}
    if left is not None and left - SPOT_MARGIN_SECONDS < pod.grace:
        # Killed and gone from the API before the instance is: a StatefulSet goes on elsewhere.
        options["gracePeriodSeconds"] = max(1, int(left - SPOT_MARGIN_SECONDS))
    return {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"namespace": pod.namespace, "name": pod.name},
        "deleteOptions": options,
    }


@dataclass(frozen=True)
class Progress:
    """How far a drain is."""

    seconds: float
    """Since it began."""
    silent: float = 0
    """Seconds since an API server answered."""
    trouble: str = ""
    """Why none answers, or what it answers to all that is asked."""
    left: tuple[Pod, ...] | None = None
    """Pods that have not left, by the last answer; None before the first."""
    refused: Mapping[Pod, str] | None = None
    """Why those of them that were not told to end were not."""
    stranded: bool = False
    """Whether no other node takes pods."""
    spot: float | None = None
    """Seconds until EC2 takes a Spot Instance back; None for any other end."""


def over(progress: Progress, now: datetime) -> str:
    """Why a drain is over; empty while it is not."""
    if progress.left == () and not progress.silent:
        return "all pods have left"
    reason = _given_up(progress, now)
    return f"{reason}: {said(progress)}" if reason else ""


def _given_up(progress: Progress, now: datetime) -> str:
    """Why nobody waits any longer for what is left; empty while somebody does."""
    if progress.spot is not None and progress.spot <= 0:
        return "EC2 takes the instance back"
    if progress.silent >= SILENT_SECONDS:
        return "gave up"
    if progress.seconds < LONGEST_DRAIN_SECONDS and _ending(progress, now):
        return ""
    if progress.stranded:
        return "gave up, since no other node takes pods"
    if progress.seconds < LIMIT_SECONDS:
        return ""
    return f"gave up after {progress.seconds:.0f} s"


def _ending(progress: Progress, now: datetime) -> bool:
    """Whether a pod is within the time that it may take to end."""
    return any(
        (now - pod.ends).total_seconds() < LATE_SECONDS
        if pod.ends
        else pod not in (progress.refused or {})
        for pod in progress.left or ()
    )


def said(progress: Progress) -> str:
    """What a drain waits for, in a line."""
    if progress.silent or progress.left is None:
        return progress.trouble or "no API server was asked yet"
    refused = progress.refused or {}
    ending = sorted(pod.path for pod in progress.left if pod not in refused)
    stay = [f"{pod.path} stays: {why}" for pod, why in refused.items()]
    parts = _few(stay)
    if ending:
        parts.append(f"{', '.join(_few(ending))} {'is' if len(ending) == 1 else 'are'} ending")
    return "; ".join(parts) or "all pods have left"


def _few(texts: Sequence[str]) -> list[str]:
    """The first texts, and how many more there are."""
    more = len(texts) - SHOWN
    return [*texts[:SHOWN], f"{more} more"] if more > 0 else list(texts)
