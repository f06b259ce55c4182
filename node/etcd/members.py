"""Members as etcd lists them, and what its quorum allows. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Entry:
    """One member in etcd's own list."""

    id: str
    """Member id in hexadecimal; never given twice, not even to the same address."""
    name: str
    """Empty until the member has started once."""
    address: str
    """IPv4 address of its peer URL: what identifies it before it has a name."""
    voter: bool
    """False for a learner, which counts for nothing."""
    started: bool
    """Whether it ever ran: a founding member has a name before it does."""


def quorum(voters: int) -> int:
    """How many of so many voters must agree (etcd FAQ: n/2+1)."""
    return voters // 2 + 1


def survives(voters: Collection[str], alive: Collection[str]) -> bool:
    """Whether a cluster of these voters goes on when just these members are alive."""
    return len(set(voters) & set(alive)) >= quorum(len(voters))


def entries(members: Iterable[dict[str, Any]]) -> tuple[Entry, ...]:
    """The list as etcdctl and as a peer words it; KeyError and its like when it is neither.

    They agree but for the case of two keys, which Go's JSON reader would not mind either.
    """
    return tuple(
        _entry({key.lower(): value for key, value in member.items()}) for member in members
    )


def _entry(member: dict[str, Any]) -> Entry:
    return Entry(
        id=f"{member['id']:x}",
        name=member.get("name", ""),
        address=urlsplit(member["peerurls"][0]).hostname or "",
        voter=not member.get("islearner", False),
        started=bool(member.get("clienturls")),
    )


def founding_id(peer_url: str, token: str) -> str:
    """The id of a founding member, which etcd makes of its peer URL and the cluster's token
    (server/etcdserver/api/membership/member.go, computeMemberID)."""
    return f"{int.from_bytes(hashlib.sha1(f'{peer_url}{token}'.encode()).digest()[:8]):x}"  # noqa: S324


def at(address: str, listed: Sequence[Entry]) -> Entry | None:
    """The member at an address; etcd takes no two of them."""
    return next((entry for entry in listed if entry.address == address), None)
