"""What a change of HAProxy's servers costs the requests of an API server, by either way."""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.binaries.etcd_build import built_etcd
from lab.binaries.kubernetes import built_kubernetes
from lab.tests.figures.steady_clients import Load
from lab.tests.figures.tables import table
from node.api import proxy, proxy_socket
from node.api.haproxy import BACKENDS, Change, change, servers, show
from node.contract import PROXY_CONFIG
from node.membership import Member
from tests.node.controlplane import ApiNode, ControlPlane

TITLE = "HAProxy's servers change from 3 to 5 to 3, under load"

HARD_STOP = 3
"""Seconds instead of 30, to shorten the run; what the end of the old process cuts is the same."""


def changes(repeat: int) -> str:
    """Failed requests and the longest one, the ways taking turns on one API server."""
    if shutil.which("haproxy") is None:
        return f"### {TITLE}\n\nNot measured: haproxy missing.\n"
    with tempfile.TemporaryDirectory(prefix="figures-") as directory:
        plane = ControlPlane(Path(directory), built_etcd(_say), built_kubernetes(_say))
        try:
            plane.form(5)
            server = plane.running_server(0, proxied=True)
            os.environ["HA_NODE_ROOT"] = str(server.root)
            five, three = plane.membership(), plane.membership()[:3]
            ways: dict[str, Callable[[ApiNode, Sequence[Member]], None]] = {
                "no change": lambda _server, _members: None,
                "reload": _reload,
                "commands to its socket": _command,
            }
            # Every process but the first has the short time; the first one ends here.
            _reload(server, three)
            time.sleep(32)
            rows = []
            for way, act in ways.items():
                load = Load(plane, server)
                for _ in range(repeat):
                    for members in (five, three):
                        act(server, members)
                        time.sleep(HARD_STOP + 3)
                outcome = load.end()
                rows.append(
                    (
                        way,
                        f"{2 * repeat if way != 'no change' else 0}",
                        f"{outcome.errors} of {outcome.requests}",
                        f"{outcome.longest:.2f}",
                        outcome.lost,
                    )
                )
        finally:
            plane.close()
    head = ("by", "changes", "failed requests", "longest, s", "writes lost")
    return table(TITLE, head, rows)


def _reload(server: ApiNode, members: Sequence[Member]) -> None:
    text = server.proxy_config(members).replace(
        "hard-stop-after 30s", f"hard-stop-after {HARD_STOP}s"
    )
    server.inside(PROXY_CONFIG).write_text(text)
    server.daemons["haproxy"].process.send_signal(signal.SIGUSR2)


def _command(_server: ApiNode, members: Sequence[Member]) -> None:
    for backend in BACKENDS:
        step = change(servers(proxy_socket.ask(show(backend))), members)
        # Here nobody leaves etcd, so they are taken out by force: the most that it can cost.
        forced = Change(add=step.add, use=step.use, remove=(*step.remove, *step.keep))
        proxy.apply(backend, forced)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
