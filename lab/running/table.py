"""The table of `status`, which fits a terminal of 80 columns. Pure."""

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from lab.running.node_names import tier
from lab.running.node_snapshot import NodeSnapshot

COLUMNS = ("machine", "zone", "API says", "it says", "etcd", "revision", "leads")

SHORT = {"kube-controller-manager": "controller manager", "kube-scheduler": "scheduler"}
"""As people call them, in words between which a line may break."""


def table(snapshots: Iterable[NodeSnapshot]) -> Table:
    """A row per machine of the control plane.

    Cells break between words where the terminal is narrow, and nothing is cut off: a word that is
    longer than its column goes on in the next line.
    """
    seen = [one for one in snapshots if tier(one.node.name) != "worker"]
    region = region_of(seen)
    grid = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=f"Machines in {region}" if region else None,
        title_justify="left",
        title_style="",
    )
    for name in COLUMNS:
        grid.add_column(name, no_wrap=name in {"machine", "zone", "revision"}, overflow="fold")
    for one in seen:
        grid.add_row(*(Text(text, style) for text, style in row(one, region)))
    return grid


def row(snapshot: NodeSnapshot, region: str = "") -> list[tuple[str, str]]:
    """Text and style of each cell; the zone without the region."""
    return [
        # The id of a machine that runs alongside its predecessor gets a line of its own.
        (snapshot.node.name.replace("/", "/\n"), ""),
        (snapshot.node.instance.subnet.zone.removeprefix(region), ""),
        api_says(snapshot),
        it_says(snapshot),
        _etcd(snapshot),
        (str(snapshot.etcd.revision) if snapshot.etcd else "", ""),
        (", ".join(leads(snapshot)), "green"),
    ]


def api_says(snapshot: NodeSnapshot) -> tuple[str, str]:
    """State, status check and target health, and a style."""
    words = [snapshot.node.instance.state]
    if snapshot.check and snapshot.check != "ok":
        words.append(snapshot.check)
    if snapshot.target:
        words.append(snapshot.target)
    bad = snapshot.node.instance.state != "running" or snapshot.target not in {None, "healthy"}
    return ", ".join(words), "yellow" if bad else ""


def it_says(snapshot: NodeSnapshot) -> tuple[str, str]:
    """How the machine is by its own words, and a style."""
    if snapshot.fault:
        return snapshot.fault, "red"
    if not snapshot.runs:
        return "off", "red"
    if not snapshot.units:
        return "boots, or goes down", "yellow"
    unit, daemon, answers = (
        ("etcd", "etcd", snapshot.etcd is not None)
        if tier(snapshot.node.name) == "etcd"
        else ("kube-apiserver", "API server", snapshot.api is not None and snapshot.api.ready)
    )
    if not answers:
        return f"{daemon} {'does not answer' if snapshot.active(unit) else 'is down'}", "yellow"
    if snapshot.etcd and snapshot.etcd.members is None:
        return "sees no leader", "red"
    return "ready", "green"


def leads(snapshot: NodeSnapshot) -> list[str]:
    """What the machine leads: etcd, or controllers by their leases."""
    etcd = ["etcd"] if snapshot.etcd and snapshot.etcd.leader else []
    return etcd + [SHORT[lease] for lease in snapshot.holds]


def _etcd(snapshot: NodeSnapshot) -> tuple[str, str]:
    if snapshot.etcd is None:
        return "", ""
    return snapshot.etcd.role, "" if snapshot.etcd.role == "voter" else "yellow"


def region_of(snapshots: Iterable[NodeSnapshot]) -> str:
    """What all zones begin with but for their letter; empty when they differ in more."""
    regions = {one.node.instance.subnet.zone[:-1] for one in snapshots}
    return regions.pop() if len(regions) == 1 else ""
