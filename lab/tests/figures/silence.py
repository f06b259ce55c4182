"""How long requests of an API server stall when a member of etcd falls silent.

Two API servers on the same members under the same load at the same time: one has the list of the
members, one has the local proxy. Every packet to and from one member is dropped, without a word:
its machine has a network of its own.

`python -m lab.tests.figures.silence ROLE` is one round, in a network namespace that `silence()` makes for
it. Rounds do not share one: in one that was shared, members of a later round lost each other before
any was silent.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from lab.binaries.etcd_build import built_etcd
from lab.binaries.kubernetes import built_kubernetes
from lab.tests.figures.steady_clients import Load, Outcome
from lab.tests.figures.tables import table
from tests.node.controlplane import ControlPlane, EtcdNode
from tests.node.daemons import wait_until

TITLE = "An etcd member falls silent for {seconds} s: longest request and errors"
PREFIX = "10.9.0"
TOOLS = ("unshare", "nsenter", "ip", "nft", "haproxy")
WIRINGS = ("`--etcd-servers` lists the members", "local HAProxy")
BEFORE, SILENT = 3, 30
"""Seconds of load before, and of silence."""


def silence(repeat: int) -> str:
    """The table, or why there is none."""
    title = TITLE.format(seconds=SILENT)
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        lacking = f"{', '.join(missing)} missing" if missing else "only root makes networks"
        return f"### {title}\n\nNot measured: {lacking}.\n"
    # Built here: there is no way out of the namespace.
    for build in (built_etcd, built_kubernetes):
        build(_say)
    rows = []
    for role in ("follower", "leader"):
        rounds = [_measured(role) for _ in range(repeat)]
        rows += [(role, w, *_cells([outcomes[w] for outcomes in rounds])) for w in WIRINGS]
    head = ("silent member", "wiring", "longest, s", "errors", "of requests", "writes lost")
    return table(title, head, rows)


def _measured(role: str) -> dict[str, Outcome]:
    command = ["unshare", "--net", "--", sys.executable, "-m", "lab.tests.figures.silence", role]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return {wiring: Outcome(**outcome) for wiring, outcome in json.loads(done.stdout).items()}


def main(role: str) -> str:
    """One round, in a network namespace that nothing else is in; outcomes by wiring, as JSON."""
    _ip("link set lo up")
    _ip("link add br0 type bridge")
    _ip("link set br0 up")
    for host in (1, 30, 31):
        _ip(f"addr add {PREFIX}.{host}/24 dev br0")
    return json.dumps({wiring: asdict(outcome) for wiring, outcome in _round(role).items()})


def _round(role: str) -> dict[str, Outcome]:
    """What clients saw, by wiring, of a control plane that has had no fault before.

    A connection that was silent delivers what it holds when TCP tries again, which is as long after
    the silence as the silence was: a second fault before that is another experiment.
    """
    networks = []
    with tempfile.TemporaryDirectory(prefix="figures-") as directory:
        plane = ControlPlane(Path(directory), built_etcd(_say), built_kubernetes(_say), PREFIX)
        try:
            members = [plane.member(number) for number in range(3)]
            networks = [_network(member) for member in members]
            plane.start(members)
            servers = [plane.running_server(0), plane.running_server(1, proxied=True)]
            loads = [Load(plane, server, 5) for server in servers]
            time.sleep(BEFORE)
            leader = plane.leader()
            victims = {"leader": leader, "follower": next(m for m in members if m is not leader)}
            with _silent(victims[role]):
                time.sleep(SILENT)
                return dict(zip(WIRINGS, [load.end() for load in loads], strict=True))
        finally:
            plane.close()
            for network in networks:
                network.kill()
                network.wait()


def _cells(outcomes: list[Outcome]) -> list[str]:
    return [
        ", ".join(f"{one.longest:.1f}" for one in outcomes),
        ", ".join(str(one.errors) for one in outcomes),
        ", ".join(str(one.requests) for one in outcomes),
        str(sum(one.lost for one in outcomes)),
    ]


def _network(member: EtcdNode) -> "subprocess.Popen[bytes]":
    """Give a member a network of its own, with a cable to the bridge; the process that keeps it."""
    keeper = subprocess.Popen(["unshare", "--net", "--", "sleep", "infinity"])
    own = Path("/proc/self/ns/net").readlink()
    path = Path(f"/proc/{keeper.pid}/ns/net")
    wait_until(lambda: path.readlink() != own, "there is another network")
    cable = f"v{keeper.pid}"
    _ip(f"link add {cable} type veth peer name eth0 netns {keeper.pid}")
    _ip(f"link set {cable} master br0 up")
    member.launcher = ("nsenter", f"--net={path}", "--")
    for command in (
        "link set lo up",
        f"addr add {member.address}/24 dev eth0",
        "link set eth0 up",
    ):
        subprocess.run([*member.launcher, "ip", *command.split()], check=True)
    return keeper


@contextmanager
def _silent(member: EtcdNode) -> Iterator[None]:
    """Drop every packet of a machine; neighbours are still found, as in a cloud's network."""
    rules = "".join(
        f"add chain inet silence {hook} {{ type filter hook {hook} priority 0; policy accept; }}\n"
        f"add rule inet silence {hook} {direction} eth0 drop\n"
        for hook, direction in (("input", "iif"), ("output", "oif"))
    )
    _nft(member, f"add table inet silence\n{rules}")
    try:
        yield
    finally:
        _nft(member, "delete table inet silence\n")


def _nft(member: EtcdNode, rules: str) -> None:
    subprocess.run([*member.launcher, "nft", "-f", "-"], input=rules.encode(), check=True)


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1]))
