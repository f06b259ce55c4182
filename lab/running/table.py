"""The table of `status`. Pure."""

from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from lab.running.node_names import tier
from lab.running.node_snapshot import NodeSnapshot

COLUMNS = ("machine", "zone", "API says", "it says", "etcd", "revision", "leads", "certificates")

SHORT = {"kube-controller-manager": "controller-manager", "kube-scheduler": "scheduler"}
SOON_DAYS = 30
"""Certificates that end sooner are shown in yellow."""


def table(snapshots: Iterable[NodeSnapshot], now: datetime) -> Table:
    """A row per machine."""
    grid = Table(*COLUMNS, box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in (grid.columns[0], grid.columns[1], grid.columns[-1]):
        column.no_wrap = True
    for one in snapshots:
        grid.add_row(*(Text(text, style) for text, style in row(one, now)))
    return grid


def row(snapshot: NodeSnapshot, now: datetime) -> list[tuple[str, str]]:
    """Text and style of each cell."""
    instance = snapshot.node.instance
    return [
        (snapshot.node.name, ""),
        (instance.subnet.zone, ""),
        _api(snapshot),
        _itself(snapshot),
        _etcd(snapshot),
        (str(snapshot.etcd.revision) if snapshot.etcd else "", ""),
        (", ".join(SHORT[lease] for lease in snapshot.holds), "green"),
        _certificates(snapshot.expires, now),
    ]


def _api(snapshot: NodeSnapshot) -> tuple[str, str]:
    words = [snapshot.node.instance.state]
    if snapshot.check and snapshot.check != "ok":
        words.append(snapshot.check)
    if snapshot.target:
        words.append(snapshot.target)
    bad = snapshot.node.instance.state != "running" or snapshot.target not in {None, "healthy"}
    return ", ".join(words), "yellow" if bad else ""


def _itself(snapshot: NodeSnapshot) -> tuple[str, str]:
    if snapshot.fault:
        return snapshot.fault, "red"
    if not snapshot.runs:
        return "off", "red"
    if not snapshot.units:
        return "boots, or goes down", "yellow"
    daemon, answers = (
        ("etcd", snapshot.etcd is not None)
        if tier(snapshot.node.name) == "etcd"
        else ("kube-apiserver", snapshot.api is not None and snapshot.api.ready)
    )
    if answers:
        return "ready", "green"
    return f"{daemon} {'does not answer' if snapshot.active(daemon) else 'is down'}", "yellow"


def _etcd(snapshot: NodeSnapshot) -> tuple[str, str]:
    if snapshot.etcd is None:
        return "", ""
    if snapshot.etcd.members is None:
        return f"{snapshot.etcd.role}, sees no leader", "red"
    if snapshot.etcd.leader:
        return f"{snapshot.etcd.role}, leader", "green"
    return snapshot.etcd.role, "" if snapshot.etcd.role == "voter" else "yellow"


def _certificates(expires: datetime | None, now: datetime) -> tuple[str, str]:
    if expires is None:
        return "", ""
    left = (expires - now).days
    return f"{expires:%Y-%m-%d}", "red" if left < 0 else "yellow" if left < SOON_DAYS else ""
