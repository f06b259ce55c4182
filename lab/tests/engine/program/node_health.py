"""Health of nodes, on which nothing runs in the emulator: written and judged as tests say."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from lab.tests.engine.program.account_snapshot import RunningInstance, running_instances, targets
from lab.tests.engine.program.workbench import Workbench
from node import owned

SECONDS = 2.0
"""Between two reports; real nodes take 30 s, and a gate looks every 2 s."""
PREFIX = "local-"


@dataclass
class NodeReports:
    """Reports of the etcd members: every machine that runs with its disk joins when it is wanted and
    leaves when not."""

    bench: Workbench
    unhealthy: set[str] = field(default_factory=set)
    """Members that report that they are not healthy."""
    silent: set[str] = field(default_factory=set)
    """Members that report nothing."""
    staying: set[str] = field(default_factory=set)
    """Members that do not leave, wanted or not."""
    voters: list[str] = field(default_factory=list)
    least_spare: int = 99
    """The fewest voters beyond quorum that were up at once; below 0 etcd would have stopped."""
    error: Exception | None = None

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._write_reports, name="node-reports", daemon=True
        )

    def __enter__(self) -> "NodeReports":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if kind is None and self.error is not None and not self.bench.closed:
            raise self.error

    def _write_reports(self) -> None:
        try:
            ssm, ec2 = self.bench.aws("ssm"), self.bench.aws("ec2")
            while not self._ended.wait(SECONDS):
                self._tick(ssm, running_instances(ec2))
        except Exception as error:
            self.error = error

    def _tick(self, ssm: Any, machines: dict[str, RunningInstance]) -> None:
        up = [
            name.removeprefix(PREFIX)
            for name, machine in sorted(machines.items())
            if name.startswith(f"{PREFIX}etcd-") and machine.volumes
        ]
        wanted = [member["name"] for member in _read(ssm, "/local/etcd/members")]
        marker = _read(ssm, "/local/etcd/formation")
        if not marker["formed"] and set(wanted) <= set(up):
            self.voters = list(wanted)
            _write(ssm, "/local/etcd/formation", {**marker, "formed": True})
        self._change(lambda name: name in wanted, up)
        if self.voters:
            alive = len(set(self.voters) & set(up))
            self.least_spare = min(self.least_spare, alive - (len(self.voters) // 2 + 1))
        fit = [
            name for name in self.voters if name in up and name not in self.unhealthy | self.silent
        ]
        for name in set(up) - self.silent:
            _write(ssm, f"/local/nodes/{name}/status", self._report(name, wanted, fit[:1]))

    def _change(self, is_wanted: Callable[[str], bool], up: list[str]) -> None:
        """One member joins, or else one leaves."""
        for name in up:
            if is_wanted(name) and name not in self.voters and self.voters:
                self.voters.append(name)
                return
        for name in list(self.voters):
            if not is_wanted(name) and name not in self.staying:
                self.voters.remove(name)
                return

    def _report(self, name: str, wanted: list[str], leader: list[str]) -> dict[str, Any]:
        state = "member" if name in self.voters else "joining" if name in wanted else "left"
        return {
            "instanceId": None,
            "time": "2026-11-24T00:00:00+00:00",  # for people only
            "state": state,
            "memberId": None,
            "leader": name in leader,
            "healthy": name not in self.unhealthy and state == "member",
            "members": dict.fromkeys(self.voters, "voter") if state == "member" else None,
            "dbSize": None,
            "dbSizeInUse": None,
        }


def _read(ssm: Any, name: str) -> Any:
    return json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])


def _write(ssm: Any, name: str, document: dict[str, Any]) -> None:
    """As nodes do, with the number of the version that it becomes."""
    version = ssm.get_parameter(Name=name)["Parameter"]["Version"] + 1
    value = json.dumps(owned.numbered(document, version))
    ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


class ServerHealth:
    """Health of the targets of the load balancer: the API servers that are there, and those to
    come."""

    def __init__(self, bench: Workbench) -> None:
        self._bench, self._present = bench, targets(bench.clients)
        # A subnet gives its addresses in their order.
        networks = {address.rpartition(".")[0] for address in self._present}
        self._all = [f"{network}.{host}" for network in networks for host in range(4, 20)]

    def judge_all_unhealthy(self) -> None:
        for address in self._all:
            self._bench.judge("POST", target=address, state="unhealthy")

    def judge_draining(self) -> None:
        """Successors are healthy, and their predecessors still drain."""
        for address in self._present:
            self._bench.judge("POST", target=address, state="draining")
        for address in set(self._all) - self._present:
            self._bench.judge("DELETE", target=address)

    def judge_drained(self) -> None:
        for address in self._present:
            self._bench.judge("DELETE", target=address)
