"""Part of `docs/proofs.md` that a run fills, between markers."""

import re

from lab.errors import LabError
from lab.proofs.report.fault_run import FaultRecord, Run
from lab.proofs.report.findings import Verdict, findings
from lab.proofs.report.wording import count, goal, outcome, seconds

BEGIN, END = "<!-- measured: failover -->", "<!-- measured until here -->"


def part(run: Run) -> str:
    """What the run found, as a table, and what it was measured on."""
    rows = [
        "| fault | goal | longest stall | | longest request | failed requests | lost writes |",
        "| --- | --- | --- | --- | --- | --- | --- |",
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
    found = findings(fault)
    wrong = found.verdict in {Verdict.MISSED, Verdict.UNSAFE}
    cells = [
        f"[{_escaped(fault.title)}](failover.html#{fault.name})",
        goal(fault.goal_seconds),
        seconds(found.stall),
        f"**{found.verdict.value}**" if wrong else found.verdict.value,
        seconds(found.longest),
        f"{found.failed:,} of {found.requests:,}",
        f"{fault.lost:,}",
    ]
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", plain)
