"""Plays the part of the etcd machines, on which nothing runs in the emulator: it writes their
reports, as tests tell it to."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from lab.tests.engine.program.workbench import Workbench
from lab.tests.engine.program.world import Machine, running
from node import owned

SECONDS = 1.0
"""Between two reports; real nodes take 30 s."""
PREFIX = "local-"


@dataclass
class Player:
    """Every etcd machine that runs with its disk joins when it is wanted and leaves when not."""

    bench: Workbench
    sick: set[str] = field(default_factory=set)
    """Members that report that they are not healthy."""
    silent: set[str] = field(default_factory=set)
    """Members that report nothing."""
    staying: set[str] = field(default_factory=set)
    """Members that do not leave, wanted or not."""
    voters: list[str] = field(default_factory=list)
    least: int = 99
    """The fewest voters beyond quorum that were up at once; below 0 etcd would have stopped."""
    error: Exception | None = None

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._play, name="player", daemon=True)

    def __enter__(self) -> "Player":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if kind is None and self.error is not None and not self.bench.closed:
            raise self.error

    def _play(self) -> None:
        try:
            ssm, ec2 = self.bench.aws("ssm"), self.bench.aws("ec2")
            while not self._ended.wait(SECONDS):
                self._tick(ssm, running(ec2))
        except Exception as error:
            self.error = error

    def _tick(self, ssm: Any, machines: dict[str, Machine]) -> None:
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
            self.least = min(self.least, alive - (len(self.voters) // 2 + 1))
        fit = [name for name in self.voters if name in up and name not in self.sick | self.silent]
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
            "healthy": name not in self.sick and state == "member",
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
