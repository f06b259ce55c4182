"""Etcd nodes on loopback addresses: the agent as on a machine, and real etcd under it."""

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from components.naming import EtcdMember
from components.userdata.etcd_member import etcd_flags
from components.userdata.flags import flags
from config import check
from node import report
from node.contract import CLUSTER_ENV, ETCD_DATA, ETCD_MOUNT, ETCD_WAL
from node.etcd import defrag_run, local_member, reconcile_member, restore_request, snapshot_schedule
from node.settings import PKI, Settings, parse
from tests.node.daemons import Daemon, start
from tests.node.doubles import FakeMachine
from tests.node.writer import Gateway

CLUSTER = check({"etcd": {"quotaGib": 1}}, stack="test")


@dataclass
class EtcdMachine(FakeMachine):
    """Runs etcd as etcd.service does, with the unit's flags and the unit's conditions."""

    root: Path
    binaries: Path
    member: EtcdMember
    daemon: Daemon | None = None
    states_used: list[str] = field(default_factory=list)
    """ETCD_INITIAL_CLUSTER_STATE of every start; "" for a start from the disk alone."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Flags that a test wants otherwise."""

    def __post_init__(self) -> None:
        super().__init__()
        self.mounts.add(self.inside(ETCD_MOUNT))
        self.inside(ETCD_MOUNT).mkdir(parents=True)

    def inside(self, path: str) -> Path:
        return Path(f"{self.root}{path}")

    def active(self, unit: str) -> bool:
        assert unit == "etcd.service"
        return self.daemon is not None and self.daemon.alive()

    def ended(self, unit: str) -> bool:
        assert unit == "etcd.service"
        return self.daemon is not None and self.daemon.process.poll() == 0

    def start(self, unit: str) -> None:
        env = self.inside(CLUSTER_ENV)
        if self.active(unit) or not (env.exists() or self.holds_data()):
            return
        lines = env.read_text().splitlines() if env.exists() else []
        environment = dict(line.split("=", 1) for line in lines)
        self.states_used.append(environment.get("ETCD_INITIAL_CLUSTER_STATE", ""))
        command = [self.binaries / "etcd", *self.flags()]
        self.daemon = start(command, self.root / "etcd.log", environment=environment)

    def holds_data(self) -> bool:
        return any(self.inside(ETCD_WAL).glob("*.wal"))

    def data(self) -> list[str]:
        """What is in etcd's directory."""
        return sorted(path.name for path in self.inside(ETCD_DATA).iterdir())

    def stop(self, unit: str) -> None:
        if self.daemon and self.active(unit):
            self.daemon.end(signal.SIGTERM)

    def flags(self) -> tuple[str, ...]:
        """The unit's, below this machine's root; 127.0.0.1 is one for all machines here.

        What is in the page cache outlives every death of a process, so nothing waits for a disk.
        """
        values = {
            flag: f"{self.root}{value}" if str(value).startswith("/") else value
            for flag, value in etcd_flags(CLUSTER, self.member).items()
        }
        here = {"listen-client-urls": self.member.client_url, "unsafe-no-fsync": True}
        return flags({**values, **here, **self.changes})

    def kill(self) -> None:
        """End etcd without warning."""
        if self.daemon:
            self.daemon.end()
        self.daemon = None

    def power_off(self) -> None:
        """No warning, and what a reboot empties is empty."""
        self.kill()
        self.inside(CLUSTER_ENV).unlink(missing_ok=True)

    def empty_disk(self) -> None:
        """Its files are gone, and the machine goes on."""
        self.kill()
        shutil.rmtree(self.inside(ETCD_DATA))
        self.inside(ETCD_DATA).mkdir()

    def lose_disk(self) -> None:
        """The power fails, and the volume comes back blank."""
        self.power_off()
        shutil.rmtree(self.inside(ETCD_MOUNT))
        self.inside(ETCD_DATA).mkdir(parents=True)


@dataclass
class EtcdNode:
    """A machine, its settings and what one would type on it."""

    machine: EtcdMachine
    settings: Settings

    @property
    def name(self) -> str:
        return self.machine.member.name

    def reconcile(self) -> str:
        """One step of what the timer runs."""
        assert self.settings.etcd
        self.enter()
        return reconcile_member.step(self.settings, self.settings.etcd, self.machine)[0]

    def report(self) -> str:
        self.enter()
        return report.run(self.settings, self.machine)

    def snapshot(self) -> str:
        assert self.settings.etcd
        self.enter()
        return snapshot_schedule.run(self.settings, self.settings.etcd)

    def restore(self, snapshot: str, *, discard: bool = False) -> str:
        assert self.settings.etcd
        self.enter()
        return restore_request.run(
            self.settings, self.settings.etcd, snapshot=snapshot, discard_newer_writes=discard
        )

    def defrag(self) -> str:
        assert self.settings.etcd
        self.enter()
        return defrag_run.run(self.settings, self.settings.etcd)

    def healthy(self) -> bool:
        assert self.settings.etcd
        return local_member.healthy(self.settings.etcd)

    @cached_property
    def gateway(self) -> Gateway:
        """What costs no process: etcd's own JSON gateway."""
        pki = self.machine.inside(PKI["etcd"])
        return Gateway(pki, lambda: [str(self.machine.member.address)], seconds=5)

    def leads(self) -> bool:
        """Whether its etcd leads, as it says itself."""
        try:
            status = self.gateway.ask("/v3/maintenance/status", {})
        except OSError:
            return False
        return bool(status.get("leader") == status["header"]["member_id"])

    def members(self) -> list[dict[str, Any]]:
        """The membership by a linearizable read; OSError without an answer."""
        found = self.gateway.ask("/v3/cluster/member/list", {"linearizable": True})
        return list(found["members"])

    def enter(self) -> None:
        """Make this machine's root the one that the program works in."""
        os.environ["HA_NODE_ROOT"] = str(self.machine.root)

    def etcdctl(self, *arguments: str) -> Any:
        pki = f"{self.machine.root}/etc/etcd/pki"
        done = subprocess.run(
            [
                self.machine.binaries / "etcdctl",
                f"--endpoints={self.machine.member.client_url}",
                f"--cacert={pki}/ca.crt",
                f"--cert={pki}/server.crt",
                f"--key={pki}/server.key",
                "--write-out=json",
                *arguments,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else None


def etcd_node(directory: Path, binaries: Path, document: dict[str, Any]) -> EtcdNode:
    """A machine that has never run."""
    root = directory / document["name"]
    root.mkdir()
    address = IPv4Address(document["etcd"]["address"])
    member = EtcdMember(document["name"], "zone", address)
    return EtcdNode(EtcdMachine(root, binaries, member), parse(document))
