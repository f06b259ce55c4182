"""Reports of etcd nodes about themselves, as `node report` writes them. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node import owned
from node.contract import EtcdState, Role

STATES = frozenset(EtcdState)
ROLES = frozenset(Role)


@dataclass(frozen=True, kw_only=True)
class EtcdReport:
    """What an etcd node last reported."""

    state: str
    """One of STATES."""
    leader: bool
    healthy: bool
    members: Mapping[str, str] | None
    """The actual membership, voter or learner by name; None when the node could not get it."""


@dataclass(frozen=True)
class NoReport:
    """There is no report that counts."""

    reason: str
    """What follows the node's name in a sentence."""


class DamagedReportError(Exception):
    """A report that is none. Its text follows the node's name in a sentence."""


def read_report(text: str) -> EtcdReport:
    """The report in a parameter's value. Raises DamagedReportError."""
    document = _document(text)
    if not document.keys() - {owned.VERSION}:  # as `pulumi up` made it
        raise DamagedReportError("has never reported")
    state, members = document.get("state"), document.get("members")
    if not isinstance(state, str) or state not in STATES:
        raise DamagedReportError(f"wrote a damaged report (state {_shown(state)})")
    for key in ("leader", "healthy"):
        if not isinstance(document.get(key), bool):
            raise DamagedReportError(
                f"wrote a damaged report ({key} {_shown(document.get(key))}, neither true nor "
                "false)"
            )
    if members is not None and not (
        isinstance(members, dict)
        and all(isinstance(role, str) and role in ROLES for role in members.values())
    ):
        raise DamagedReportError(f"wrote a damaged report (members {_shown(members)})")
    return EtcdReport(
        state=state, leader=document["leader"], healthy=document["healthy"], members=members
    )


def was_member(text: str) -> bool:
    """Whether a node that reported so, at any time, had been a member of a cluster by then."""
    try:
        return bool(_document(text).get("memberId"))
    except DamagedReportError:
        return False


@dataclass(frozen=True, kw_only=True)
class Marker:
    """What the marker says."""

    formed: bool | None
    """Whether there is a cluster. False only while the first one is being founded; None when it
    says nothing that can be relied on."""
    restoring: bool = False
    """Whether the members are to found the cluster anew from a snapshot."""


def read_marker(text: str | None, version: int) -> Marker:
    """The marker in a parameter's value, and the version of that parameter.

    Only a plain false opens a gate, so a marker that is lost or damaged never does. Nor does one
    that was written after the parameter was made: nodes write it once there is a cluster, and
    "false" is then a restore, or an old value that was written back.
    """
    try:
        document = _document(text or "")
    except DamagedReportError:
        return Marker(formed=None)
    if document.get(owned.VERSION, version) != version:
        return Marker(formed=None)
    if document.get("formed") is False:
        restoring = bool(document.get("snapshot") or document.get("superseded"))
        first = version == owned.FIRST and not restoring
        return Marker(formed=False if first else None, restoring=restoring)
    return Marker(formed=True if document.get("formed") is True else None)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise DamagedReportError("wrote a damaged report (no JSON)") from None
    if not isinstance(document, dict):
        raise DamagedReportError("wrote a damaged report (no JSON object)")
    return document


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
