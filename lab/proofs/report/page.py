"""Page of a run: what every fault did to clients, one that needs no other file and no script."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from lab.proofs.report import wording
from lab.proofs.report.chart_layout import in_order
from lab.proofs.report.fault_run import ALL, FaultRecord, Run, Summary
from lab.proofs.report.findings import Findings, Verdict, findings
from lab.proofs.report.markup import Child, element, html
from lab.proofs.report.timeline_svg import STYLE, timeline

_STYLE = (Path(__file__).parent / "page.css").read_text()
_SCALE = 1.5
"""The bar of a stall ends at so many times its goal."""
_SIGNS = {Verdict.MET: "\N{CHECK MARK} ", Verdict.MISSED: "\N{MULTIPLICATION X} "}
_TITLE = "Faults under load"


def page(run: Run) -> str:
    """The page as HTML."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="description", content=wording.outcome(run)),
        element("title", f"{_TITLE}: ha-kubernetes"),
        element("style", STYLE + _STYLE),
    )
    body = element(
        "body",
        element("h1", _TITLE),
        element("p", wording.outcome(run), class_="outcome"),
        _facts(run),
        _summary(run),
        _reading(),
        *(_section(fault) for fault in run.faults),
    )
    return html(element("html", head, body, lang="en"))


def _facts(run: Run) -> Element:
    machine, versions = run.machine, run.versions
    return element(
        "p",
        f"Measured on {run.date} at commit ",
        element("code", run.commit),
        f" with Kubernetes {versions.kubernetes} and etcd {versions.etcd}, on machines of the lab, "
        f"all on one computer: {wording.count(machine.cores, 'core')}, {machine.memory_gib:g} GiB, "
        f"Linux {machine.kernel}, load {machine.load}. Again: ",
        element("code", run.command),
        class_="facts",
    )


def _reading() -> Element:
    return element(
        "p",
        "A stall is the longest time in which no write of one kind of client succeeded. The "
        "upright line in its bar is the goal. In the timelines yellow is how long the fault "
        "lasted, and pale red is where no request was answered; the length of a request stands "
        "where it began.",
        class_="muted",
    )


def _summary(run: Run) -> Element:
    heads = (
        "Fault",
        "Longest stall, of its goal",
        "",
        "Longest request",
        "Failed requests",
        "Lost writes",
    )
    return element(
        "table",
        element(
            "thead",
            element(
                "tr",
                *(
                    element("th", head, scope="col", class_="number" if index > 2 else "text")
                    for index, head in enumerate(heads)
                ),
            ),
        ),
        element("tbody", *(_summary_row(fault) for fault in run.faults)),
        class_="summary",
    )


def _summary_row(fault: FaultRecord) -> Element:
    found = findings(fault)
    rest = (
        ("longest", wording.seconds(found.longest)),
        ("failed", f"{found.failed:,} of {found.requests:,}"),
        ("lost", f"{fault.lost:,}"),
    )
    return element(
        "tr",
        element("td", element("a", fault.title, href=f"#{fault.name}"), class_="what"),
        element(
            "td",
            element(
                "div",
                _bullet(fault, found),
                element(
                    "span",
                    (
                        f"{wording.seconds(found.stall)} of {wording.goal(fault.goal_seconds)}"
                        if fault.goal_seconds is not None
                        else f"{wording.seconds(found.stall)}, no goal"
                    ),
                ),
                class_="stall",
            ),
            class_="stalled",
        ),
        element("td", _badge(found.verdict), class_="verdict"),
        *(element("td", words, data_label=label, class_="rest number") for label, words in rest),
    )


def _bullet(fault: FaultRecord, found: Findings) -> Element:
    if fault.goal_seconds is None or found.stall is None:
        return element("span")
    share = found.stall / fault.goal_seconds
    bar = element("i", style=f"width: {min(share / _SCALE, 1):.1%}")
    over = " over" if share > 1 else ""
    return element("div", bar, element("b"), class_=f"bullet{over}", aria_hidden="true")


def _badge(verdict: Verdict) -> Element:
    return element(
        "span",
        f"{_SIGNS.get(verdict, '')}{verdict.value}",
        class_=f"badge {verdict.name.lower()}",
    )


def _section(fault: FaultRecord) -> Element:
    found = findings(fault)
    wrong = wording.data_wrong(fault)
    shown = [element("p", wrong, class_="bad")] if wrong else []
    return element(
        "section",
        element("div", element("h2", fault.title), _badge(found.verdict), class_="title"),
        element("p", fault.claim),
        *shown,
        _tiles(fault, found),
        _figure(fault),
        _notes(fault, found),
        _clients(fault),
        id=fault.name,
    )


def _tiles(fault: FaultRecord, found: Findings) -> Element:
    whose = "" if found.stalled in {"", ALL} else f" ({found.stalled} clients)"
    promised = (
        "no goal" if fault.goal_seconds is None else f"goal {wording.goal(fault.goal_seconds)}"
    )
    consistent = "yes" if fault.linearizable else "no"
    missed = found.stall is not None and found.stall > (fault.goal_seconds or float("inf"))
    tiles = (
        (wording.seconds(found.stall), f"longest stall{whose}, {promised}", missed),
        (wording.seconds(found.longest), "longest request", False),
        (f"{found.failed:,}", f"failed of {wording.count(found.requests, 'request')}", False),
        (f"{fault.lost:,}", "acknowledged writes lost", fault.lost > 0),
        (f"{fault.stale:,}", "stale reads", fault.stale > 0),
        (consistent, "linearizable", not fault.linearizable),
    )
    return element(
        "ul",
        *(
            element("li", element("strong", figure), what, class_="wrong" if wrong else "right")
            for figure, what, wrong in tiles
        ),
        class_="tiles",
    )


def _figure(fault: FaultRecord) -> Element:
    if not any((fault.timeline.ok, fault.timeline.failed, fault.timeline.slowest)):
        return element("p", "No timeline was recorded.", class_="muted")
    return element(
        "figure",
        element("div", timeline(fault, narrow=False), class_="wide"),
        element("div", timeline(fault, narrow=True), _events(fault), class_="narrow"),
    )


def _events(fault: FaultRecord) -> Element:
    return element(
        "ol",
        *(element("li", f"{event.at:.1f} s: {event.what}") for event in in_order(fault)),
        class_="events",
    )


def _notes(fault: FaultRecord, found: Findings) -> Element:
    notes = (
        ("Goal and figure", f"{wording.stall_beside_goal(fault, found)} {fault.limit}"),
        ("Elsewhere", fault.elsewhere),
    )
    return element(
        "dl",
        *(
            element("div", element("dt", term), element("dd", words))
            for term, words in notes
            if words
        ),
        class_="notes",
    )


def _clients(fault: FaultRecord) -> Element:
    heads = (
        "requests",
        "failed",
        "stall",
        "longest",
        "p50 before",
        "during",
        "after",
        "p99 before",
        "during",
        "after",
    )
    return element(
        "details",
        element("summary", "Each kind of client; percentiles in milliseconds"),
        element(
            "div",
            element(
                "table",
                element(
                    "thead",
                    element("tr", element("th", "client", scope="col"), *_cells("th", heads)),
                ),
                element(
                    "tbody",
                    *(
                        element("tr", element("td", kind), *_cells("td", _figures(summary)))
                        for kind, summary in fault.summaries.items()
                    ),
                ),
            ),
            class_="scroll",
        ),
    )


def _cells(tag: str, words: Sequence[Child]) -> Iterator[Element]:
    return (element(tag, word, class_="number") for word in words)


def _figures(summary: Summary) -> list[str]:
    percentiles = [*summary.p50, *summary.p99]
    return [
        f"{summary.requests:,}",
        f"{summary.failed:,}",
        wording.seconds(summary.stall),
        wording.seconds(summary.longest),
        *(wording.milliseconds(value) for value in percentiles),
    ]
