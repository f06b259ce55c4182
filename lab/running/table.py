"""The table of `status`. Pure."""

from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from lab.running.node_names import tier
from lab.running.node_snapshot import Look

COLUMNS = ("machine", "zone", "API says", "it says", "etcd", "revision", "leads", "certificates")

SHORT = {"kube-controller-manager": "controller-manager", "kube-scheduler": "scheduler"}
SOON_DAYS = 30
"""Certificates that end sooner are shown in yellow."""


def table(looks: Iterable[Look], now: datetime) -> Table:
    """A row per machine."""
    grid = Table(*COLUMNS, box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in (grid.columns[0], grid.columns[1], grid.columns[-1]):
        column.no_wrap = True
    for one in looks:
        grid.add_row(*(Text(text, style) for text, style in row(one, now)))
    return grid


def row(look: Look, now: datetime) -> list[tuple[str, str]]:
    """Text and style of each cell."""
    instance = look.node.instance
    return [
        (look.node.name, ""),
        (instance.subnet.zone, ""),
        _api(look),
        _itself(look),
        _etcd(look),
        (str(look.etcd.revision) if look.etcd else "", ""),
        (", ".join(SHORT[lease] for lease in look.holds), "green"),
        _certificates(look.expires, now),
    ]


def _api(look: Look) -> tuple[str, str]:
    words = [look.node.instance.state]
    if look.check and look.check != "ok":
        words.append(look.check)
    if look.target:
        words.append(look.target)
    bad = look.node.instance.state != "running" or look.target not in {None, "healthy"}
    return ", ".join(words), "yellow" if bad else ""


def _itself(look: Look) -> tuple[str, str]:
    if look.harm:
        return look.harm, "red"
    if not look.runs:
        return "off", "red"
    if not look.units:
        return "boots, or goes down", "yellow"
    daemon, answers = (
        ("etcd", look.etcd is not None)
        if tier(look.node.name) == "etcd"
        else ("kube-apiserver", look.api is not None and look.api.ready)
    )
    if answers:
        return "ready", "green"
    return f"{daemon} {'does not answer' if look.active(daemon) else 'is down'}", "yellow"


def _etcd(look: Look) -> tuple[str, str]:
    if look.etcd is None:
        return "", ""
    if look.etcd.members is None:
        return f"{look.etcd.role}, sees no leader", "red"
    if look.etcd.leader:
        return f"{look.etcd.role}, leader", "green"
    return look.etcd.role, "" if look.etcd.role == "voter" else "yellow"


def _certificates(expires: datetime | None, now: datetime) -> tuple[str, str]:
    if expires is None:
        return "", ""
    left = (expires - now).days
    return f"{expires:%Y-%m-%d}", "red" if left < 0 else "yellow" if left < SOON_DAYS else ""
