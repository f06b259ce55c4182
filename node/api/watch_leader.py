"""`watch-leader`: end connections to etcd members that have lost their leader; runs for ever."""

import json
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from node.api import proxy_socket
from node.api.haproxy import READY, end, leave, servers, show
from node.api.leader_loss import LeaderLoss, Status, Verdict
from node.contract import ETCD_CLIENT_PORT
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings

INTERVAL = 0.25
"""Seconds between two rounds of questions."""
_PATIENCE = 0.3
"""Seconds for a connection, and for an answer, which comes from the member's memory."""
_COMMANDS = {Verdict.END: end, Verdict.LEAVE: leave}


def run(settings: Settings, _machine: Machine) -> str:
    """Watch until the process is ended."""
    watch(settings.pki)
    return "ended"


def watch(pki: Path) -> None:
    """Ask every member that HAProxy has for its status, and act on what they say."""
    loss, connections, trouble, heard = LeaderLoss(), _Connections(pki), "", set[str]()
    with ThreadPoolExecutor(thread_name_prefix="member") as pool:
        while True:
            asked, before, trouble = time.monotonic(), trouble, ""
            try:
                members = {s.name: s.address for s in servers(proxy_socket.ask(show(READY)))}
                answers = pool.map(connections.status, members.values())
                said = {name: s for name, s in zip(members, answers, strict=True) if s}
                _act(loss.hear(said, asked, time.monotonic()))
                if new := said.keys() - heard:
                    print(f"heard {', '.join(sorted(new))}", flush=True)
                heard |= new
            except (OSError, ValueError, NodeError) as error:
                # It starts, or is started again; or the certificates are being put here.
                trouble = f"waiting for HAProxy and certificates: {error}"
            if trouble and trouble != before:
                print(trouble, flush=True)
            time.sleep(max(0.0, asked + INTERVAL - time.monotonic()))


def _act(verdicts: Mapping[str, Verdict]) -> None:
    for name, verdict in verdicts.items():
        try:
            proxy_socket.tell(_COMMANDS[verdict](name))
        except NodeError as error:
            # Its server has just been removed, and its connections with it. The others' matter.
            print(error, flush=True)
        else:
            print(f"ended connections to {name}: {verdict}", flush=True)


class _Connections:
    """A connection to each member that lasts, so that a question costs no handshake."""

    def __init__(self, pki: Path) -> None:
        self._pki = pki
        self._open: dict[str, HTTPSConnection] = {}

    def status(self, address: str) -> Status | None:
        """What a member says of itself, or None. Raises OSError without certificates."""
        connection = self._open.get(address) or self._connection(address)
        try:
            connection.request("POST", "/v3/maintenance/status", "{}")
            answer = json.loads(connection.getresponse().read())
            header = answer["header"]
            # The gateway leaves zeros out.
            return Status(
                int(header["member_id"]), int(answer.get("leader", 0)), int(header["raft_term"])
            )
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            with suppress(OSError):
                connection.close()
            self._open.pop(address, None)
            return None

    def _connection(self, address: str) -> HTTPSConnection:
        # New ones have the certificates that are there by then.
        trust = ssl.create_default_context(cafile=str(self._pki / "etcd-ca.crt"))
        name = self._pki / "apiserver-etcd-client"
        trust.load_cert_chain(f"{name}.crt", f"{name}.key")
        connection = HTTPSConnection(address, ETCD_CLIENT_PORT, timeout=_PATIENCE, context=trust)
        self._open[address] = connection
        return connection
