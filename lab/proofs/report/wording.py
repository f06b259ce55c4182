"""Wording of figures, the same on the page, in the document and in the picture."""

from lab.proofs.report.fault_run import FaultRecord, Run
from lab.proofs.report.findings import Findings, Verdict, findings

NONE = "\N{EN DASH}"
"""Where there is no figure."""


def seconds(value: float | None) -> str:
    """A duration, as exact as it is interesting."""
    if value is None:
        return NONE
    if value < 0.0995:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"


def goal(value: float | None) -> str:
    """A goal as it was chosen."""
    return "none" if value is None else f"{value:g} s"


def milliseconds(value: float | None) -> str:
    """A percentile."""
    return NONE if value is None else f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def count(number: int, one: str, many: str = "") -> str:
    """A number of things."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def stall_beside_goal(fault: FaultRecord, found: Findings) -> str:
    """Sentence: what was measured, and whether it is as promised."""
    if found.stall is None:
        return "No request was measured."
    measured = f"Longest stall {seconds(found.stall)}"
    if fault.goal_seconds is None:
        return f"{measured}; there is no goal for it."
    over = found.stall - fault.goal_seconds
    if over > 0:
        return f"{measured}: the goal of {goal(fault.goal_seconds)} is missed by {over:.2g} s."
    return f"{measured}: the goal of {goal(fault.goal_seconds)} is met."


def data_wrong(fault: FaultRecord) -> str:
    """Sentence: what happened to data that must not happen; empty if nothing did."""
    parts = []
    if fault.lost:
        parts.append(f"{count(fault.lost, 'acknowledged write')} lost")
    if fault.stale:
        parts.append(count(fault.stale, "stale read"))
    if not fault.linearizable:
        parts.append("the history is not linearizable")
    return f"Data went wrong: {', '.join(parts)}." if parts else ""


def short(fault: FaultRecord) -> str:
    """Sentences: stall, failures and data of a fault."""
    found = findings(fault)
    failed = f"{found.failed:,} of {count(found.requests, 'request')} failed."
    wrong = data_wrong(fault) or "No acknowledged write was lost."
    return f"{stall_beside_goal(fault, found)} {failed} {wrong}"


def outcome(run: Run) -> str:
    """Sentence: how the whole run ended."""
    found = [findings(fault) for fault in run.faults]
    verdicts = [each.verdict for each in found]
    promised = [fault for fault in run.faults if fault.goal_seconds is not None]
    lost = sum(fault.lost for fault in run.faults)
    requests = sum(each.requests for each in found)
    failed = sum(each.failed for each in found)
    unsafe = verdicts.count(Verdict.UNSAFE)
    wrong = f" Data went wrong in {count(unsafe, 'fault')}." if unsafe else ""
    return (
        f"{count(len(run.faults), 'fault')}, {verdicts.count(Verdict.MET)} of "
        f"{count(len(promised), 'goal')} met; {failed:,} of {count(requests, 'request')} failed, "
        f"{count(lost, 'acknowledged write')} lost.{wrong}"
    )
