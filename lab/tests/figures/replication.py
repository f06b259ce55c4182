"""What more members cost a write, by etcd's own benchmark.

Here all members share one machine, which those of a real tier do not. So the tables say besides what
a write takes of the leader alone, wherever the others run: its processor time, and what it sends.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from lab.binaries.etcd_benchmark import built_etcd_benchmark
from lab.binaries.etcd_build import built_etcd
from lab.tests.figures.tables import rows
from node import web
from node.contract import ETCD_CLIENT_PORT, ETCD_METRICS_PORT
from node.settings import PKI
from tests.node.controlplane import ControlPlane, EtcdNode

SIZES = (1, 3, 5, 7, 9)
"""What can be configured, and one more."""

LIMITS = """\
Each size runs alone, in a new cluster; sizes take turns, upwards and downwards ({rounds} rounds;
medians, and the range of writes a second). Clients ask the leader, with mutual TLS, and write values
of 1 KiB.

**All members and the client share {cores} cores.** Writes a second and latencies are those of this
machine: followers wait for its cores, which on machines of their own they would not. Members do not
wait for their disks (`--unsafe-no-fsync`): here it would be one for all. A disk's time comes on top,
at every size. What a write takes of the leader does not depend on where its followers run: the bytes
that it sends to them, and its processor time, in which that of heartbeats is counted.
"""

HEAD = (
    "members",
    "writes/s",
    "median, ms",
    "99%, ms",
    "leader: processor, ms a write",
    "leader: sent, bytes a write",
    "all members: processor, ms a write",
)

# A flag of etcd, which it reads from its environment too.
_NO_FSYNC = ("env", "ETCD_UNSAFE_NO_FSYNC=true")


@dataclass(frozen=True)
class Load:
    """What the benchmark does."""

    title: str
    clients: int
    connections: int
    writes: int


LOADS = (
    Load("One client, one write after the other", 1, 1, 500),
    Load("100 clients", 100, 10, 5000),
)
_WARM_UP = Load("", 10, 10, 200)


@dataclass(frozen=True)
class Summary:
    """What the benchmark says of its writes; seconds."""

    rate: float
    """Writes a second."""
    median: float
    p99: float


@dataclass(frozen=True)
class Usage:
    """What a member has used since it started."""

    processor: float
    """Seconds."""
    sent: float
    """Bytes to other members."""


@dataclass(frozen=True)
class Outcome:
    """One load on one cluster; seconds, and bytes, of each write."""

    summary: Summary
    leader: Usage
    processor_of_all: float


def replication(repeat: int) -> str:
    """A table for each load, and what they do not say."""
    tool = built_etcd_benchmark(_say)
    found: dict[tuple[Load, int], list[Outcome]] = {}
    for round_ in range(repeat):
        for size in SIZES[:: -1 if round_ % 2 else 1]:
            with _cluster(size) as plane:
                _measured(tool, plane, _WARM_UP)
                for load in LOADS:
                    found.setdefault((load, size), []).append(_measured(tool, plane, load))
    limits = LIMITS.format(rounds=repeat, cores=os.cpu_count())
    tables = [
        f"**{load.title}**\n\n{rows(HEAD, [_row(n, found[load, n]) for n in SIZES])}"
        for load in LOADS
    ]
    return "\n".join(("### What a write costs with more members\n", limits, *tables))


def summary(said: str) -> Summary:
    """The summary in the benchmark's output; ValueError when it has none, or tells of errors."""
    patterns = (r"Requests/sec:\s+(\S+)", r"\s50% in (\S+) secs", r"\s99% in (\S+) secs")
    values = [match[1] for match in (re.search(one, said) for one in patterns) if match]
    if len(values) != len(patterns) or "Error distribution" in said:
        raise ValueError(f"the benchmark failed: {said[-500:]}")
    return Summary(*map(float, values))


def usage(metrics: str) -> Usage:
    """A member's usage, from its metrics."""
    sent = re.findall(r"^etcd_network_peer_sent_bytes_total\{.*\} (\S+)$", metrics, re.MULTILINE)
    (processor,) = re.findall(r"^process_cpu_seconds_total (\S+)$", metrics, re.MULTILINE)
    return Usage(float(processor), sum(map(float, sent)))


def _measured(tool: Path, plane: ControlPlane, load: Load) -> Outcome:
    """A load that one leader bore from its beginning to its end."""
    while True:
        leader = plane.leader()
        before = _usages(plane)
        said = _benchmark(tool, leader, load)
        after = _usages(plane)
        if plane.leader() is leader:
            break
    took = {
        name: Usage(
            (now.processor - before[name].processor) / load.writes,
            (now.sent - before[name].sent) / load.writes,
        )
        for name, now in after.items()
    }
    return Outcome(summary(said), took[leader.name], sum(one.processor for one in took.values()))


def _benchmark(tool: Path, member: EtcdNode, load: Load) -> str:
    pki = member.inside(PKI["etcd"])
    options: dict[str, object] = {
        "endpoints": f"{member.address}:{ETCD_CLIENT_PORT}",
        "cacert": pki / "ca.crt",
        "cert": pki / "server.crt",
        "key": pki / "server.key",
        "clients": load.clients,
        "conns": load.connections,
        "total": load.writes,
        "key-size": 32,
        "val-size": 1024,
        "key-space-size": 1000,
    }
    given = [f"--{option}={value}" for option, value in options.items()]
    command = [tool, "put", "--sequential-keys", "--precise", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the benchmark failed: {done.stderr[-500:]}")
    return done.stdout


def _usages(plane: ControlPlane) -> dict[str, Usage]:
    return {
        member.name: usage(
            web.ask(HTTPConnection(member.address, ETCD_METRICS_PORT, timeout=30), "/metrics")
        )
        for member in plane.members
    }


@contextmanager
def _cluster(size: int) -> Iterator[ControlPlane]:
    with tempfile.TemporaryDirectory(prefix="figures-") as directory:
        plane = ControlPlane(Path(directory), built_etcd(_say), Path(directory))
        try:
            members = [plane.member(number) for number in range(size)]
            for member in members:
                member.launcher = _NO_FSYNC
            plane.start(members)
            yield plane
        finally:
            plane.close()


def _row(size: int, outcomes: list[Outcome]) -> tuple[object, ...]:
    rates = [one.summary.rate for one in outcomes]
    milliseconds = [
        statistics.median(values) * 1000
        for values in (
            [one.summary.median for one in outcomes],
            [one.summary.p99 for one in outcomes],
            [one.leader.processor for one in outcomes],
            [one.processor_of_all for one in outcomes],
        )
    ]
    median, p99, leader, everyone = (f"{one:.2f}" for one in milliseconds)
    sent = statistics.median(one.leader.sent for one in outcomes)
    rate = f"{statistics.median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})"
    return size, rate, median, p99, leader, f"{sent:,.0f}", everyone


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
