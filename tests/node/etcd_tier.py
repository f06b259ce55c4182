"""An etcd tier on loopback addresses: machines that come and go, and what `pulumi up` wants."""

import json
import subprocess
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.ssm.models import ssm_backends
from mypy_boto3_ssm import SSMClient

from node import prepare
from node.contract import ETCD_DATA
from node.errors import NodeError
from node.settings import PKI
from tests.node.conftest import REGION, document, etcd, put_files
from tests.node.daemons import wait_until
from tests.node.etcd_nodes import EtcdNode, etcd_node
from tests.node.issued_certificates import Authority, etcd_files
from tests.node.loopback import network
from tests.node.writer import Gateway

TOKEN = "test-vpc-0abc"
FORMATION = "/test/etcd/formation"
MEMBERS = "/test/etcd/members"

PATIENCE = 300
"""Seconds after which a tier is taken for stuck; etcd alone makes a change wait for five."""


@dataclass
class Tier:
    """The machines of a tier, by number, and their parameters."""

    aws: SSMClient
    directory: Path
    binaries: Path
    authority: Authority
    nodes: dict[int, EtcdNode] = field(default_factory=dict)
    network: str = field(default_factory=network)
    booted: int = 0
    seen: list[dict[str, str]] = field(default_factory=list)
    """The memberships that were listed, without repetitions."""

    def member(self, number: int) -> dict[str, str]:
        """A member as the parameters have it."""
        return {"name": f"etcd-{number}", "address": f"{self.network}.{10 + number}"}

    def put(self, name: str, value: Any) -> None:
        self.aws.put_parameter(Name=name, Value=json.dumps(value), Type="String", Overwrite=True)

    def get(self, name: str) -> Any:
        return json.loads(self.aws.get_parameter(Name=name)["Parameter"]["Value"])

    def found(self, size: int) -> None:
        """What the first `pulumi up` writes."""
        members = [self.member(number) for number in range(size)]
        marker = {"formed": False, "token": TOKEN, "members": members, "version": 1}
        self.aws.delete_parameters(Names=[FORMATION])
        self.put(FORMATION, marker)
        self.desire(*range(size))

    def desire(self, *numbers: int) -> None:
        self.put(MEMBERS, [self.member(number) for number in numbers])

    def boot(self, *numbers: int) -> None:
        """Boot machines that have never run, with blank disks."""
        for number in numbers:
            member = self.member(number)
            directory = self.directory / f"boot-{self.booted}"
            directory.mkdir()
            self.booted += 1
            described = document(member["name"], etcd=etcd(member["address"]))
            node = etcd_node(directory, self.binaries, described)
            files = etcd_files(self.authority, node.name, member["address"])
            put_files(self.aws, node.name, files)
            node.enter()
            assert prepare.run(node.settings, node.machine).startswith("wrote ca.crt")
            self.nodes[number] = node

    def form(self, size: int, **flags: Any) -> None:
        """A cluster of the first so many, marked as formed; flags of etcd that are otherwise here."""
        self.found(size)
        self.boot(*range(size))
        for number in range(size):
            self.nodes[number].machine.changes.update(flags)
        self.until(lambda: self.get(FORMATION)["formed"] and self.voters(range(size)))

    def replace(self, number: int, *, keep_disk: bool) -> None:
        """Another machine, and on it the old disk or a blank one."""
        old = self.nodes[number].machine
        old.power_off()
        self.boot(number)
        if keep_disk:
            new = self.nodes[number].machine.inside(ETCD_DATA)
            new.rmdir()
            old.inside(ETCD_DATA).rename(new)

    def terminate(self, *numbers: int) -> None:
        """Take machines away, with their disks and their last words."""
        for number in numbers:
            node = self.nodes.pop(number)
            node.machine.power_off()
            name = node.settings.parameters["status"]
            self.aws.delete_parameters(Names=[name])

    def close(self) -> None:
        for node in self.nodes.values():
            node.machine.power_off()

    def until(self, done: Callable[[], bool], *only: int) -> list[tuple[int, str]]:
        """Reconcile machines in turn, all by default, until it is so; what they said."""
        said: list[tuple[int, str]] = []
        give_up = time.monotonic() + PATIENCE
        before: list[tuple[int, str]] = []
        while not done():
            assert time.monotonic() < give_up, (said[-3 * len(self.nodes) :], self.members())
            now = self.round(*only)
            said += now
            # Nothing to do but to wait for etcd, whose own waits are of seconds.
            time.sleep(0.4 if now == before else 0.05)
            before = now
        return said

    def round(self, *only: int) -> list[tuple[int, str]]:
        """Reconcile machines once, all by default; what they said, or what is wrong."""
        return [(number, self._reconcile(number)) for number in only or tuple(self.nodes)]

    def _reconcile(self, number: int) -> str:
        try:
            return self.nodes[number].reconcile()
        except NodeError as error:
            return str(error)

    def members(self) -> dict[str, dict[str, Any]]:
        """The membership as somebody knows it who has a leader, by name or, of what never started,
        by peer URL; empty when nobody has."""
        for node in self.alive():
            with suppress(OSError):
                return {m.get("name") or m["peerURLs"][0]: m for m in node.members()}
        return {}

    def listed(self) -> dict[str, str]:
        """The membership: voter or learner, by name."""
        found = {
            name: "learner" if member.get("isLearner") else "voter"
            for name, member in self.members().items()
        }
        if found and self.seen[-1:] != [found]:
            self.seen.append(found)
        return found

    def ids(self) -> dict[str, str]:
        """The ids of the members, by name, once somebody has a leader."""
        found: dict[str, dict[str, Any]] = {}
        wait_until(lambda: found.update(self.members()) or bool(found), "a leader")
        return {name: f"{int(member['ID']):x}" for name, member in found.items()}

    def leader(self) -> int:
        """The number of the node that leads, once one does."""
        found: list[int] = []

        def led() -> bool:
            running = [n for n, node in self.nodes.items() if node.machine.active("etcd.service")]
            found[:] = [number for number in running if self.nodes[number].leads()]
            return bool(found)

        wait_until(led, "a leader")
        return found[0]

    def voters(self, numbers: Collection[int]) -> bool:
        """Whether exactly these are members, and all are voters that answer."""
        return self.listed() == {f"etcd-{n}": "voter" for n in numbers} and all(
            self.nodes[number].healthy() for number in numbers
        )

    def status(self, number: int) -> Any:
        """What a node last said; None when it has said nothing."""
        try:
            return self.get(self.status_name(number))
        except self.aws.exceptions.ParameterNotFound:
            return None

    def say(self, number: int, **status: Any) -> None:
        """Write a node's status in its place."""
        self.put(self.status_name(number), status)

    def age(self, number: int, seconds: float) -> None:
        """Have a node's status be so much older, by the clock of Parameter Store."""
        stored = ssm_backends[ACCOUNT][REGION]._parameters[self.status_name(number)][-1]
        stored.last_modified_date -= timedelta(seconds=seconds)

    def status_name(self, number: int) -> str:
        return f"/test/nodes/etcd-{number}/status"

    def left(self, *numbers: int) -> bool:
        """Whether these said that they have left, as the gates wait for."""
        return all((self.status(number) or {}).get("state") == "left" for number in numbers)

    def lead(self, number: int) -> None:
        """Have a member lead."""
        while (now := self.leader()) != number:
            with suppress(subprocess.CalledProcessError):
                self.nodes[now].etcdctl("move-leader", self.ids()[f"etcd-{number}"])
            time.sleep(0.05)

    def gateway(self) -> Gateway:
        """A client that, as HAProxy does, knows the machines that are there."""
        first = next(iter(self.nodes.values()))
        pki = first.machine.inside(PKI["etcd"])
        return Gateway(pki, lambda: [str(n.machine.member.address) for n in self.alive()])

    def alive(self) -> list[EtcdNode]:
        return [n for n in list(self.nodes.values()) if n.machine.active("etcd.service")]
