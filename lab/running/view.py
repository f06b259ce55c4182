"""What `status` shows of running machines: the table, and what to know besides. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from lab.running.node_snapshot import NodeSnapshot
from lab.running.ready import missing
from lab.running.table import region_of, table
from lab.running.workers_table import workers_table

SOON_DAYS = 30
"""Certificates that end sooner are shown in yellow."""


@dataclass(frozen=True)
class Look:
    """The machines at one moment."""

    when: datetime
    snapshots: Sequence[NodeSnapshot]
    faults: Sequence[str] = ()
    """Faults of the network, in words."""


def view(look: Look) -> Group:
    """The table, then a line each: faults, certificates, and what the cluster lacks."""
    lines: list[RenderableType] = [*tables(look.snapshots)]
    lines += [Text(f"fault: {fault}", "red") for fault in look.faults]
    lines += _certificates(look.snapshots, look.when)
    lacks = missing(look.snapshots)
    lines.append(Text(f"cluster: {', '.join(lacks) or 'ready'}", "yellow" if lacks else ""))
    return Group(*lines)


def tables(snapshots: Sequence[NodeSnapshot]) -> list[RenderableType]:
    """The table of the control plane, and that of the workers where there are any."""
    workers = workers_table(snapshots, region_of(snapshots))
    control_plane = table(snapshots)
    return [control_plane] if workers is None else [control_plane, "", workers]


def _certificates(snapshots: Iterable[NodeSnapshot], now: datetime) -> list[Text]:
    """When the first one ends, and whose it is; no line where no machine says."""
    known = [(one.expires, one.node.name) for one in snapshots if one.expires]
    if not known:
        return []
    expires, name = min(known)
    left = (expires - now).days
    style = "red" if left < 0 else "yellow" if left < SOON_DAYS else ""
    ends = "ended" if left < 0 else "ends"
    return [Text(f"certificates: the first one {ends} {expires:%Y-%m-%d}, on {name}", style)]
