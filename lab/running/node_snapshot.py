"""Snapshots of all nodes at one moment: what the API says of each, and what it says of itself."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.lab_errors import LabError
from lab.machines.network.faults import Faults
from lab.running import inside
from lab.running.lab import RunningLab
from lab.running.node_names import Node

PROBE = Path(__file__).with_name("probe.py")
LEADERS = ("kube-controller-manager", "kube-scheduler")
ENDS = "%b %d %H:%M:%S %Y GMT"
"""How openssl writes a date."""


@dataclass(frozen=True)
class Member:
    """An etcd member, in its own words."""

    id: int
    role: str
    """`voter` or `learner`."""
    leader: bool
    revision: int
    size: int
    """Bytes of its database."""
    members: Mapping[str, str] | None
    """Every member's role by name; None when no leader confirms it."""


@dataclass(frozen=True)
class ApiServer:
    """An API server, in its own words."""

    ready: bool
    holders: Mapping[str, str | None]
    """Who holds the lease of each of LEADERS; None when it cannot tell."""


@dataclass(frozen=True)
class Worker:
    """A worker, in the words of its agent."""

    state: str
    """`joining`, `joined` or `draining`."""
    reason: str
    """Why it is not joined, for people; empty where there is nothing to say."""


@dataclass(frozen=True)
class NodeSnapshot:
    """One machine at one moment."""

    node: Node
    fault: str | None
    """What is done to it; None when nothing."""
    runs: bool
    units: Mapping[str, Mapping[str, str]]
    """systemd's properties of the units that matter, by unit."""
    userspace: float | None
    """When its systemd took over, in seconds of this computer's monotonic clock."""
    expires: datetime | None
    """When the first of its certificates ends."""
    etcd: Member | None
    api: ApiServer | None
    target: str | None
    """Its state as the load balancer's target; None when it is none."""
    check: str | None
    """The instance status check in the API."""
    worker: Worker | None = None

    def active(self, unit: str) -> bool:
        """Whether a unit runs."""
        return self.units.get(f"{unit}.service", {}).get("ActiveState") == "active"

    def since(self, unit: str) -> float | None:
        """When a unit became active, in seconds of this computer's monotonic clock."""
        microseconds = int(
            self.units.get(unit, {}).get("ActiveEnterTimestampMonotonic", "0") or "0"
        )
        return microseconds / 1e6 or None

    @property
    def holds(self) -> list[str]:
        """The leases that this machine's controllers hold, as far as its API server knows."""
        if self.api is None:
            return []
        return [lease for lease in LEADERS if held_by(self.api.holders.get(lease), self.node)]


def held_by(holder: str | None, node: Node) -> bool:
    """Whether a lease's holder is a process of that machine. Pure.

    A holder is `<hostname>_<random>`, and an API machine's hostname ends with its address.
    """
    host = (holder or "").partition("_")[0]
    return host in {node.name, f"{node.name}-{str(node.instance.address).replace('.', '-')}"}


def inspect(lab: RunningLab) -> list[NodeSnapshot]:
    """Every machine, asked side by side. Raises LabError when the API does not answer."""
    account = lab.account()
    nodes = lab.nodes(account).values()
    try:
        targets, checks = _targets(lab), _checks(lab)
    except (BotoCoreError, ClientError) as error:
        raise LabError(f"The AWS emulator does not answer: {error}") from error
    faults = Faults.load(lab.layout.faults)
    with ThreadPoolExecutor(max_workers=8) as pool:
        said = list(pool.map(lambda node: _ask(lab, node), nodes))
    return [
        read(
            node,
            words,
            fault=_fault(lab, node, faults),
            target=targets.get(str(node.instance.address)),
            check=checks.get(node.instance.id),
        )
        for node, words in zip(nodes, said, strict=True)
    ]


def read(
    node: Node,
    words: Mapping[str, Any] | None,
    *,
    fault: str | None,
    target: str | None,
    check: str | None,
) -> NodeSnapshot:
    """A look from what the probe printed; `words` is None for a machine that is off. Pure."""
    said = words or {}
    ends = [
        datetime.strptime(text, ENDS).replace(tzinfo=UTC)
        for text in said.get("certificates", {}).values()
    ]
    return NodeSnapshot(
        node=node,
        fault=fault,
        runs=words is not None,
        units=said.get("units", {}),
        userspace=(said.get("userspace") or 0) / 1e6 or None,
        expires=min(ends, default=None),
        etcd=_member(said.get("etcd")),
        api=ApiServer(said["api"]["ready"], said["api"]["leases"]) if said.get("api") else None,
        target=target,
        check=check,
        worker=_worker(said.get("worker")),
    )


def _worker(said: Mapping[str, Any] | None) -> Worker | None:
    if not said:
        return None
    return Worker(str(said.get("state", "")), str(said.get("reason") or ""))


def _member(said: Mapping[str, Any] | None) -> Member | None:
    if not said:
        return None
    status, members = said["status"], said["members"]
    header = status["header"]
    return Member(
        id=header["member_id"],
        role="learner" if status.get("isLearner") else "voter",
        leader=status.get("leader") == header["member_id"],
        revision=header["revision"],
        size=status.get("dbSize", 0),
        members=None if members is None else dict(map(_role, members)),
    )


def _role(member: Mapping[str, Any]) -> tuple[str, str]:
    role = "learner" if member.get("isLearner") else "voter"
    return (str(member.get("name") or f"{member['ID']:x}"), role)


def _ask(lab: RunningLab, node: Node) -> Mapping[str, Any] | None:
    init = lab.machine(node).init()
    if init is None:
        return None
    try:
        text = inside.output(init, ["python3", "-I", "-"], stdin=PROBE.read_text("utf-8"))
        return dict(json.loads(text))
    except (LabError, ValueError):
        # It boots, or goes down at this moment: it runs, and says nothing.
        return {}


def _fault(lab: RunningLab, node: Node, faults: Faults) -> str | None:
    if lab.machine(node).power_cut.exists():
        return "no power"
    if node.instance.id in faults.isolated:
        return "isolated"
    return "no peers" if node.instance.id in faults.peerless else None


def _targets(lab: RunningLab) -> dict[str, str]:
    """State by address of every target of every group."""
    elb = lab.aws("elbv2")
    found = {}
    for group in elb.describe_target_groups()["TargetGroups"]:
        health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
        for one in health["TargetHealthDescriptions"]:
            found[one["Target"]["Id"]] = one["TargetHealth"]["State"]
    return found


def _checks(lab: RunningLab) -> dict[str, str]:
    statuses = lab.aws("ec2").describe_instance_status()["InstanceStatuses"]
    return {one["InstanceId"]: one["InstanceStatus"]["Status"] for one in statuses}
