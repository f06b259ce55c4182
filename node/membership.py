"""Desired members and marker of the etcd tier, as Parameter Store holds them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from node.contract import ETCD_PEER_PORT
from node.errors import NodeError

GIVEN_UP = "old"
"""What a person writes in the place of a disk's token to have its data set aside."""


@dataclass(frozen=True)
class Member:
    """A member as it is wanted: name and fixed IPv4 address."""

    name: str
    address: str

    @property
    def peer_url(self) -> str:
        """Where the other members reach it."""
        return f"https://{self.address}:{ETCD_PEER_PORT}"


@dataclass(frozen=True)
class Formation:
    """The marker: who founds the cluster, and whether they have."""

    formed: bool
    token: str
    members: tuple[Member, ...]
    snapshot: str | None = None
    """Key of the snapshot that the founders start from; None for an empty cluster."""
    bump: int | None = None
    """How far the founders lift the snapshot's revisions; None in markers of older agents."""
    superseded: tuple[str, ...] = ()
    """Tokens of the clusters that a restore put this one in the place of, the last one last."""

    @property
    def restoring(self) -> bool:
        """Whether the founders are to start from a snapshot."""
        return self.snapshot is not None and not self.formed

    def owns(self, token: str | None) -> bool:
        """Whether data of that token is of this cluster; data without one is not doubted."""
        return token is None or token == self.token

    def supersedes(self, token: str | None) -> bool:
        """Whether data of that token is of a cluster that this one took the place of.

        Another token alone does not say so: the marker may be the older one.
        """
        return token in {*self.superseded, GIVEN_UP}

    def document(self) -> dict[str, Any]:
        """The marker as it is written."""
        written = {
            "formed": self.formed,
            "token": self.token,
            "members": [{"name": m.name, "address": m.address} for m in self.members],
        }
        if self.snapshot:
            written["snapshot"] = self.snapshot
        if self.bump:
            written["bumpRevision"] = self.bump
        if self.superseded:
            written["superseded"] = list(self.superseded)
        return written


def members(document: Any) -> tuple[Member, ...]:  # noqa: ANN401  JSON
    """The desired membership. Raises NodeError when the document is not one."""
    with _reading("members"):
        listed = tuple(_member(member["name"], member["address"]) for member in document)
        if not listed:
            raise ValueError("it names nobody")
        if len({m.name for m in listed} | {m.address for m in listed}) != 2 * len(listed):
            # One that is there twice is another one left out, and that one would be removed.
            raise ValueError("a name or an address is there twice")
        return listed


def _member(name: str, address: str) -> Member:
    return Member(name, str(IPv4Address(address)))


def formation(document: Any) -> Formation:  # noqa: ANN401  JSON
    """The marker. Raises NodeError when the document is not one."""
    with _reading("formation"):
        return Formation(
            # Only a plain false lets a cluster be formed.
            formed=document["formed"] is not False,
            token=document["token"],
            members=members(document["members"]),
            snapshot=document.get("snapshot"),
            bump=document.get("bumpRevision"),
            superseded=tuple(str(token) for token in document.get("superseded") or ()),
        )


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NodeError(
            f"the etcd {what} parameter is damaged ({error!r}): run pulumi up"
        ) from error
