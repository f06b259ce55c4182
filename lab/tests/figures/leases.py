"""How long nobody leads after the leading daemon was killed, with its lease released and without."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab.binaries.etcd_build import built_etcd
from lab.binaries.kubernetes import built_kubernetes
from lab.tests.figures.tables import table
from node import web
from node.api.lease import PATH, held_on, holder
from node.contract import NODE_JSON
from tests.node.conftest import document
from tests.node.controlplane import LEADERS, ApiNode, ControlPlane
from tests.node.daemons import wait_until

TITLE = "Another leads after `kill -9` of the leader, seconds (default timings: 15 s, 10 s, 2 s)"

RESTART_SECONDS = 2
"""RestartSec of the units: only then the one that was killed may lead again."""


def leases(repeat: int) -> str:
    """Medians, the two ways taking turns on one control plane of three API servers."""
    with tempfile.TemporaryDirectory(prefix="figures-") as directory:
        plane = ControlPlane(Path(directory), built_etcd(_say), built_kubernetes(_say))
        try:
            plane.form(3)
            for number in range(3):
                server = plane.running_server(number)
                server.inside(NODE_JSON).write_text(json.dumps(document(server.name)))
                for daemon in LEADERS:
                    server.start_leader(daemon)
            return _measured(plane, repeat)
        finally:
            plane.close()


def _measured(plane: ControlPlane, repeat: int) -> str:
    seconds: dict[tuple[str, bool], list[float]] = {}
    for _ in range(repeat):
        for daemon in LEADERS:
            for release in (False, True):
                seconds.setdefault((daemon, release), []).append(_take_over(plane, daemon, release))
    rows = [
        (daemon, "released" if release else "left to expire", *_summary(took))
        for (daemon, release), took in seconds.items()
    ]
    return table(TITLE, ("daemon", "lease", f"median of {repeat}", "each"), rows)


def _summary(took: list[float]) -> tuple[str, str]:
    return f"{statistics.median(took):.1f}", ", ".join(f"{one:.1f}" for one in took)


def _take_over(plane: ControlPlane, daemon: str, release: bool) -> float:
    """Seconds from the kill until another process holds the lease."""
    admin = plane.client("admin", "system:masters")

    def lease(server: ApiNode) -> dict[str, object]:
        found: dict[str, object] = server.call(admin, "GET", PATH + daemon)
        return found

    def leader() -> ApiNode | None:
        try:
            held = lease(plane.servers[0])
        except web.StatusError:
            return None
        return next((s for s in plane.servers if held_on(s.hostname, held)), None)

    wait_until(lambda: leader() is not None, f"a {daemon} leads")
    # Standbys count from when they saw the last renewal: long enough that all of them have.
    time.sleep(5)
    first = leader()
    assert first is not None
    other = next(server for server in plane.servers if server is not first)
    was = holder(lease(other))
    first.daemons[daemon].process.kill()
    began = time.monotonic()
    if release:
        _release(first, daemon)
    while (now := holder(lease(other))) in {"", was}:
        time.sleep(0.02)
    took = time.monotonic() - began
    assert not now.startswith(first.hostname)
    first.daemons[daemon].end()
    time.sleep(RESTART_SECONDS)
    first.start_leader(daemon)
    return took


def _release(server: ApiNode, daemon: str) -> None:
    """What ExecStopPost runs, a new Python and all, with this node's address for 127.0.0.1."""
    program = (
        "import sys; from node.api import release_lease; "
        f"release_lease.ADDRESS = '{server.address}'; "
        "from node.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "release-lease", daemon],
        env={**os.environ, "HA_NODE_ROOT": str(server.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "released the lease" in done.stdout, done.stdout


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
