"""Part of `docs/proofs.md` that a run fills, between markers."""

import re

from lab.lab_errors import LabError
from lab.proofs.load.fault_record import FaultRecord
from lab.proofs.load.fault_run import Run
from lab.proofs.report.finding import Finding, finding
from lab.proofs.report.wording import (
    NONE,
    count,
    failed,
    goal,
    missed_besides,
    outcome,
    p99,
    seconds,
)

BEGIN, END = "<!-- measured: failover -->", "<!-- measured until here -->"

_HEADS = (
    "fault",
    "measure",
    "goal",
    "",
    "longest request",
    "failed requests",
    "p99 before, during",
    "lost writes",
)


def part(run: Run) -> str:
    """What the run found, as a table, and what it was measured on."""
    rows = [
        f"| {' | '.join(_HEADS)} |",
        f"|{' --- |' * len(_HEADS)}",
        *(_row(fault) for fault in run.faults),
    ]
    machine = run.machine
    measured = (
        f"Measured on {_escaped(run.date)} at commit {_escaped(run.commit)}, with Kubernetes "
        f"{_escaped(run.versions.kubernetes)} and etcd {_escaped(run.versions.etcd)}, on "
        f"{count(machine.cores, 'core')}, {machine.memory_gib:g} GiB, Linux "
        f"{_escaped(machine.kernel)}, load {_escaped(machine.load)}: "
        f"<code>{_escaped(run.command)}</code>."
    )
    link = "[The timeline of each](failover.html)."
    return "\n\n".join([f"{outcome(run)} {link}", "\n".join(rows), measured])


def with_part(document: str, run: Run) -> str:
    """A document with its part as the run has it. Raises LabError where the markers are not."""
    before, _, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise LabError(f"The document needs a line {BEGIN} and a line {END} below it.")
    return f"{before}{BEGIN}\n\n{part(run)}\n\n{END}{after}"


def _row(fault: FaultRecord) -> str:
    found, main, everyone = finding(fault), fault.measures[0], fault.everyone
    bad = found in {Finding.MISSED, Finding.UNSAFE}
    besides = missed_besides(fault)
    cells = [
        f"[{_escaped(fault.title)}](failover.html#{fault.name})",
        f"{_escaped(main.what)} {seconds(main.seconds)}",
        goal(main.goal),
        (f"**{found.value}**" if bad else found.value)
        + (f": {_escaped(besides)}" if besides else ""),
        seconds(everyone.longest if everyone else None),
        failed(everyone),
        p99(everyone),
        f"{fault.lost:,}" if everyone else NONE,
    ]
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", plain)
