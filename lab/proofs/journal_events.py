"""Events around a fault, from the journals of the machines: who leads, what is down, what ended."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab.lab_errors import LabError
from lab.proofs.lab_session import LabSession
from lab.proofs.load.fault_record import Event
from node.contract import LEADER_WATCH_UNIT, PROXY_UNIT

UNITS = (
    "etcd.service",
    PROXY_UNIT,
    LEADER_WATCH_UNIT,
    "kube-controller-manager.service",
    "kube-scheduler.service",
)
TOGETHER = 1.0
"""Seconds within which machines that say the same tell of one event."""

_PATTERNS = {
    r'"msg":"\w+ became leader at term (\d+)"': r"{node} leads etcd, term \1",
    r"ended connections to (etcd-\d+): (.+)": r"connections to \1 end: \2",
    r"Server etcd/(etcd-\d+) is (UP|DOWN)": r"\1 is \2 for the proxies",
    r"successfully acquired lease kube-system/(\S+)": r"\1 of {node} leads",
}
"""What a line of a journal means, by what stands in it."""


@dataclass(frozen=True)
class Line:
    """A line of a journal."""

    node: str
    at: float
    """Unix time in seconds."""
    text: str


def events(session: LabSession, began: float, before: float) -> list[Event]:
    """What the machines that run wrote since a fault began, and `before` seconds before that.

    `began` is a Unix time. A machine that cannot be asked tells nothing.
    """
    since = began - before
    lines = []
    for node in (*session.nodes("etcd"), *session.nodes("api")):
        options = [f"--unit={unit}" for unit in UNITS]
        try:
            found = session.within(
                node, "journalctl", "--output=json", f"--since=@{since:.0f}", *options
            )
        except LabError:
            continue
        lines += parse(node.name, found)
    return meant((line for line in lines if line.at >= since), began)


def parse(node: str, text: str) -> list[Line]:
    """The lines in the JSON of journalctl. Pure. Raises ValueError."""
    entries: Iterable[Mapping[str, object]] = map(json.loads, text.splitlines())
    return [
        Line(node, int(str(entry["__REALTIME_TIMESTAMP"])) / 1e6, str(entry.get("MESSAGE")))
        for entry in entries
    ]


def meant(lines: Iterable[Line], began: float) -> list[Event]:
    """What lines tell, in the order of time; what several tell at once is told once. Pure."""
    found: list[Event] = []
    for line in sorted(lines, key=lambda line: line.at):
        for pattern, meaning in _PATTERNS.items():
            if match := re.search(pattern, line.text):
                what, at = match.expand(meaning).format(node=line.node), line.at - began
                if not any(e.what == what and at - e.at <= TOGETHER for e in found):
                    found.append(Event(round(at, 2), what))
    return found
