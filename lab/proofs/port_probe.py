"""Probe of TCP ports from a place in the VPC."""

import errno
import os
import selectors
import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack

from lab.machines.network import namespaces
from lab.machines.network.router import AWS

PATIENCE = 6.0
"""Seconds: the first packet is sent again after 1 and after 3."""

Endpoint = tuple[str, int]
"""Address and port."""

_OPEN = {0, errno.ECONNREFUSED}
"""Somebody answered, if only that nothing listens: no firewall stands before it."""
_CLOSED = {errno.EPERM, errno.ETIMEDOUT}


def probe_ports(namespace: str, endpoints: Iterable[Endpoint]) -> dict[Endpoint, bool]:
    """Whether each lets packets through, all asked at once.

    A packet that is dropped cannot be told from an answer that takes longer than PATIENCE. Raises
    OSError when there is no way to an address at all, which would say nothing of a firewall.
    """
    wanted = list(endpoints)
    found = dict.fromkeys(wanted, False)
    with ExitStack() as opened, selectors.DefaultSelector() as waiting:
        begun = namespaces.inside(
            namespace, lambda: [_begin(endpoint, opened) for endpoint in wanted]
        )
        for endpoint, connection in begun:
            waiting.register(connection, selectors.EVENT_WRITE, (endpoint, connection))
        deadline = time.monotonic() + PATIENCE
        while waiting.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                endpoint, connection = key.data
                code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                found[endpoint] = _verdict(endpoint, code)
                waiting.unregister(connection)
    return found


def reaches_aws(namespace: str) -> bool:
    """Whether the endpoints of AWS let packets through from there. Raises as `probe_ports`."""
    endpoint = (str(AWS), 443)
    return probe_ports(namespace, [endpoint])[endpoint]


def _begin(endpoint: Endpoint, opened: ExitStack) -> tuple[Endpoint, socket.socket]:
    connection = opened.enter_context(socket.socket())
    connection.setblocking(False)  # noqa: FBT003 - of the library
    code = connection.connect_ex(endpoint)
    if code not in {*_OPEN, *_CLOSED, errno.EINPROGRESS}:
        raise OSError(code, os.strerror(code), str(endpoint))
    return endpoint, connection


def _verdict(endpoint: Endpoint, code: int) -> bool:
    if code in _OPEN:
        return True
    if code in _CLOSED:
        return False
    raise OSError(code, os.strerror(code), str(endpoint))
