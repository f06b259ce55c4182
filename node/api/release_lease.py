"""`release-lease <daemon>`: free the lease of a leader that died, before it expires.

kube-controller-manager.service and kube-scheduler.service run it when their process has ended, for
whatever reason (ExecStopPost). systemd starts no successor before it is done, so no process of
this machine leads then, and a holder of this machine's name is the one that ended: the name is
the machine's alone (lease.py). A holder of any other name is left alone.
"""

import json
import ssl
import time
from datetime import UTC, datetime
from http.client import HTTPSConnection
from typing import Any

from node import files, web
from node.api.lease import CERTIFICATES, PATH, held_on, holder, hostname, released
from node.contract import API_PORT, NODE_ENV
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings, at

ADDRESS = "127.0.0.1"
PORT = API_PORT

SECONDS = 5.0
"""For all of it: a stopping machine waits, and a lease that is not released expires anyway."""


def run(settings: Settings, _machine: Machine, daemon: str) -> str:
    """Release the lease of a process that ended here; what was done, or why it was left.

    NodeError for a daemon that has none, and without an address or a certificate that is accepted.
    """
    if daemon not in CERTIFICATES:
        raise NodeError(f"{daemon} has no lease; those that have: {', '.join(CERTIFICATES)}")
    mine, trust = this_machine(settings), _trust(settings, CERTIFICATES[daemon])
    give_up = time.monotonic() + SECONDS
    while (left := give_up - time.monotonic()) > 0:
        try:
            lease = _ask(trust, daemon, left)
            if not held_on(mine, lease):
                return f"{daemon}: {_left_alone(holder(lease))}"
            _ask(trust, daemon, left, released(lease, datetime.now(UTC)))
        except web.StatusError as error:
            if error.status in {401, 403}:
                raise NodeError(
                    f"{error}: {settings.pki}/{CERTIFICATES[daemon]}.crt is not accepted; "
                    "run ha-node reconcile"
                ) from error
            if error.status == 404:
                return f"{daemon}: there is no lease"
            # A conflict: somebody wrote since it was read, so look again who holds it.
            if error.status != 409:
                return _expires(daemon, str(error))
        except NodeError as error:
            return _expires(daemon, str(error))
        else:
            return f"{daemon}: released the lease of {holder(lease)}"
    return _expires(daemon, "somebody writes it all the time")


def this_machine(settings: Settings) -> str:
    """The hostname that this machine's leaders sign with; NodeError without an address."""
    address = (files.read(at(NODE_ENV)) or "").strip().removeprefix("NODE_ADDRESS=")
    if not address:
        raise NodeError(f"{at(NODE_ENV)} has no address: run ha-node prepare")
    return hostname(settings.name, address)


def _left_alone(name: str) -> str:
    return f"left the lease to {name}" if name else "nobody holds the lease"


def _expires(daemon: str, why: str) -> str:
    return f"{daemon}: its lease stays until it expires: {why}"


def _trust(settings: Settings, certificate: str) -> ssl.SSLContext:
    pki = settings.pki
    try:
        trust = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        trust.load_cert_chain(pki / f"{certificate}.crt", pki / f"{certificate}.key", password="")
    except OSError as error:
        raise NodeError(
            f"{pki}/{certificate}.crt and its CA cannot be used ({error}): run ha-node reconcile"
        ) from error
    return trust


def _ask(trust: ssl.SSLContext, daemon: str, timeout: float, lease: Any = None) -> Any:  # noqa: ANN401  JSON
    """Read the lease, or write it where one is given."""
    connection = HTTPSConnection(ADDRESS, PORT, timeout=timeout, context=trust)
    method, body = ("GET", None) if lease is None else ("PUT", json.dumps(lease))
    headers = {"Content-Type": "application/json"}
    return json.loads(web.ask(connection, PATH + daemon, method, headers, body))
