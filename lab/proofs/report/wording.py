"""Wording of figures, the same on the page, in the document and in the picture."""

from lab.proofs.load.fault_record import FaultRecord, Measure
from lab.proofs.load.fault_run import Run
from lab.proofs.load.summary import Summary
from lab.proofs.report.finding import Finding, finding

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


def count(number: int, one: str) -> str:
    """A number of things."""
    return f"{number:,} {one if number == 1 else one + 's'}"


def beside_goal(measure: Measure) -> str:
    """What became of a goal."""
    if measure.goal is None:
        return "no goal"
    over = measure.seconds - measure.goal
    return f"goal {goal(measure.goal)}: " + (f"missed by {over:.2g} s" if over > 0 else "met")


def missed_besides(fault: FaultRecord) -> str:
    """The measures that missed their goals, but for the main one; empty if none did."""
    return ", ".join(
        f"{measure.what} {seconds(measure.seconds)} of {goal(measure.goal)}"
        for measure in fault.measures[1:]
        if measure.met is False
    )


def failed(summary: Summary | None) -> str:
    """Failures of how many requests."""
    return f"{summary.failed:,} of {summary.requests:,}" if summary else NONE


def p99(summary: Summary | None) -> str:
    """The 99th percentile before and during a fault."""
    if summary is None:
        return NONE
    return ", ".join(NONE if phase is None else seconds(phase / 1000) for phase in summary.p99[:2])


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
    """Sentences: what a fault took, failures and data. The measure is the first that missed its
    goal, or else the main one."""
    told = next((each for each in fault.measures if each.met is False), fault.measures[0])
    parts = [
        f"{told.what[:1].upper()}{told.what[1:]} {seconds(told.seconds)}, {beside_goal(told)}."
    ]
    if fault.everyone:
        asked = count(fault.everyone.requests, "request")
        parts.append(f"{fault.everyone.failed:,} of {asked} failed.")
    wrong = data_wrong(fault)
    if wrong or fault.everyone:
        parts.append(wrong or "No acknowledged write was lost.")
    return " ".join(parts)


def outcome(run: Run) -> str:
    """Sentence: how the whole run ended. A goal is not met where data went wrong."""
    promised = [measure for fault in run.faults for measure in fault.measures if measure.goal]
    unsafe = [fault for fault in run.faults if finding(fault) is Finding.UNSAFE]
    met = sum(
        bool(measure.met)
        for fault in run.faults
        if fault not in unsafe
        for measure in fault.measures
    )
    seen = [fault.everyone for fault in run.faults if fault.everyone]
    requests = sum(summary.requests for summary in seen)
    failures = sum(summary.failed for summary in seen)
    lost = sum(fault.lost for fault in run.faults)
    wrong = f" Data went wrong in {count(len(unsafe), 'fault')}." if unsafe else ""
    return (
        f"{count(len(run.faults), 'fault')}, {met} of {count(len(promised), 'goal')} met; "
        f"{failures:,} of {count(requests, 'request')} failed, "
        f"{count(lost, 'acknowledged write')} lost.{wrong}"
    )
