"""Who else asks for the name of a worker that joins. Pure.

The join token is the same for all workers, so that it does not say which of them asks: a request
of whoever stole it looks as the kubelet's own. The kubelet asks with one key, though, and two keys
for one name are two who ask, or one that was started again. Nobody here can tell which, so that
none that still waits gets a certificate. What was approved before counts for as long as it is
there, which is an hour (kube-controller-manager, csrcleaner).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from node.cluster.approval import by_token, claimed_name, parsed
from node.cluster.worker_instances import WorkerInstance

NAMED = 3
"""Requests that a reason names. Somebody may have made thousands."""


@dataclass(frozen=True)
class Claim:
    """A request for the first certificate of a name, by whoever has a join token."""

    request: str
    created: datetime
    public_key: bytes


def created(request: Mapping[str, Any]) -> datetime:
    """When a request was made, in whole seconds."""
    return datetime.fromisoformat(request["metadata"]["creationTimestamp"])


def claims(requests: Iterable[Mapping[str, Any]]) -> dict[str, list[Claim]]:
    """The claims to each name, of requests that nobody has denied."""
    found: dict[str, list[Claim]] = {}
    for one in requests:
        if not by_token(one["spec"]) or _denied(one):
            continue
        if name := claimed_name(one):
            claim = Claim(one["metadata"]["name"], created(one), parsed(one["spec"]).public_key)
            found.setdefault(name, []).append(claim)
    return found


def too_early(request: Mapping[str, Any], instance: WorkerInstance) -> str:
    """That a request is older than the instance, which then cannot have made it; empty otherwise.

    An instance takes over the address of one that is gone, and with it the name: what is older is
    its predecessor's, or of somebody who knew the name before.
    """
    if created(request) < _launched(instance):
        return f"it was made before {instance.id}, which has this name, was launched"
    return ""


def objection(request: Mapping[str, Any], all_: Iterable[Claim], instance: WorkerInstance) -> str:
    """Why the instance may not be the one that asks for its first certificate; empty when nothing
    speaks against it. `all_` are the claims to its name, with that of the request.
    """
    if early := too_early(request, instance):
        return early
    launched, key = _launched(instance), parsed(request["spec"]).public_key
    rivals = sorted(
        quote(one.request, safe=":")
        for one in all_
        if one.created >= launched and one.public_key != key
    )
    if not rivals:
        return ""
    more = f" and {len(rivals) - NAMED} more" if len(rivals) > NAMED else ""
    return (
        f"somebody else asked for this name, with another key ({', '.join(rivals[:NAMED])}{more}): "
        f"unless the kubelet of {instance.id} was only started again, terminate the instance, and "
        "look who holds the join token"
    )


def _launched(instance: WorkerInstance) -> datetime:
    # EC2 gives whole seconds, as the API server does.
    return instance.launched.astimezone(UTC).replace(microsecond=0)


def _denied(request: Mapping[str, Any]) -> bool:
    conditions = request.get("status", {}).get("conditions", ())
    return any(one["type"] == "Denied" for one in conditions)
