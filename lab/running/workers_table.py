"""The workers in `status`: which pool a machine is of, and whether it joined, or why not. Pure."""

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from lab.running.node_names import tier
from lab.running.node_snapshot import NodeSnapshot

COLUMNS = ("worker", "pool", "zone", "API says", "it says")


def joined(snapshot: NodeSnapshot) -> bool:
    """Whether a worker is part of the cluster, as far as it knows."""
    return snapshot.worker is not None and snapshot.worker.state == "joined"


def not_joined(snapshot: NodeSnapshot) -> str:
    """What a worker does that has not joined, or is about to leave."""
    if not snapshot.runs:
        return "is off"
    if snapshot.worker is None:
        return "boots, or goes down"
    state, reason = snapshot.worker.state, snapshot.worker.reason
    return f"is {state}: {reason}" if reason else f"is {state}"


def workers_table(snapshots: Iterable[NodeSnapshot], region: str = "") -> Table | None:
    """A row per worker; None where there are none. Nothing is cut off."""
    seen = [one for one in snapshots if tier(one.node.name) == "worker"]
    if not seen:
        return None
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in COLUMNS:
        grid.add_column(name, no_wrap=name in {"worker", "zone"}, overflow="fold")
    for one in seen:
        grid.add_row(*(Text(text, style) for text, style in row(one, region)))
    return grid


def row(snapshot: NodeSnapshot, region: str = "") -> list[tuple[str, str]]:
    """Text and style of each cell; the zone without the region."""
    instance = snapshot.node.instance
    words = [instance.state]
    if snapshot.check and snapshot.check != "ok":
        words.append(snapshot.check)
    return [
        (snapshot.node.name.replace("/", "/\n"), ""),
        (instance.pool or "", ""),
        (instance.subnet.zone.removeprefix(region), ""),
        (", ".join(words), "" if words == ["running"] else "yellow"),
        it_says(snapshot),
    ]


def it_says(snapshot: NodeSnapshot) -> tuple[str, str]:
    """How the worker is by its own words, and a style."""
    if snapshot.fault:
        return snapshot.fault, "red"
    if not snapshot.runs:
        return "off", "red"
    if snapshot.worker is None:
        return "boots, or goes down", "yellow"
    if joined(snapshot):
        return ("joined", "green") if snapshot.active("kubelet") else ("kubelet is down", "yellow")
    return not_joined(snapshot).removeprefix("is "), "yellow"
