"""Peers: what the other members say, through the one port that is open between them: the peers'."""

import json
import ssl
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection

from node import web
from node.contract import ETCD_PEER_PORT
from node.errors import NodeError
from node.etcd.members import Entry, entries
from node.settings import Settings

PORT = ETCD_PEER_PORT
SECONDS = 3
"""That a peer gets to answer; one that lost its power answers nothing at all."""
SLOW_SECONDS = 6
"""That a member gets which may have a slow disk: at 500 ms a write it answers within 4.3 s."""
LINEARIZABLE_SECONDS = 10
"""etcd itself gives up after 5 s and two election timeouts."""


def membership(settings: Settings, addresses: Iterable[str]) -> tuple[Entry, ...] | None:
    """The membership as the first peer that answers knows it; None when none does.

    It may be a little behind the leader. What depends on it must be right then too: etcd checks
    a joining member's list, and ends when its peers know that it was removed.

    NodeError without certificates.
    """
    context = _context(settings)
    for address in addresses:
        connection = HTTPSConnection(address, PORT, timeout=SECONDS, context=context)
        try:
            return entries(json.loads(web.ask(connection, "/members")))
        except (NodeError, ValueError, KeyError, TypeError, AttributeError, IndexError):
            continue
    return None


def works(settings: Settings, address: str) -> bool:
    """Whether a member reads through a leader now, so is part of a cluster that works.

    The question is about a downgrade; etcd answers it on the peer port after a linearizable read
    (etcdserver/server.go, downgradeEnabledHandler).

    NodeError without certificates.
    """
    return _works(_context(settings), address, LINEARIZABLE_SECONDS)


def answering(settings: Settings, members: Sequence[Entry]) -> frozenset[str]:
    """Ids of the members that are part of a cluster that works, and say so within SLOW_SECONDS.

    All are asked at once. etcd's own list of connected members is no answer: it has a member in it
    for two minutes after its machine fell silent, may have a dead one in it for ever (its gauge
    counts connections twice that are made anew when a learner gets a snapshot), and may leave out
    one that is well for ever (etcd issue 14523).

    NodeError without certificates.
    """
    if not members:
        return frozenset()
    context = _context(settings)
    with ThreadPoolExecutor(len(members)) as pool:
        answers = pool.map(lambda one: _works(context, one.address, SLOW_SECONDS), members)
        return frozenset(one.id for one, works in zip(members, answers, strict=True) if works)


def _works(context: ssl.SSLContext, address: str, seconds: float) -> bool:
    connection = HTTPSConnection(address, PORT, timeout=seconds, context=context)
    try:
        web.ask(connection, "/downgrade/enabled")
    except NodeError:
        return False
    return True


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(settings.pki / "ca.crt"))
        context.load_cert_chain(settings.pki / "peer.crt", settings.pki / "peer.key")
    except OSError as error:
        raise NodeError(f"{settings.pki}: {error}: run ha-node prepare") from error
    return context
