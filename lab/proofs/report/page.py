"""Page of a run: what every fault did to clients, one that needs no other file and no script."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from lab.proofs.load.fault_record import FaultRecord, Measure
from lab.proofs.load.fault_run import Run
from lab.proofs.load.summary import Summary
from lab.proofs.report import wording
from lab.proofs.report.chart_layout import in_order
from lab.proofs.report.finding import Finding, finding
from lab.proofs.report.markup import Child, element, html
from lab.proofs.report.timeline_svg import STYLE, timeline

_STYLE = (Path(__file__).parent / "page.css").read_text()
_SCALE = 1.5
"""The bar of a measure ends at so many times its goal."""
_SIGNS = {Finding.MET: "\N{CHECK MARK} ", Finding.MISSED: "\N{MULTIPLICATION X} "}
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
        "A service stall is the longest time in which nobody's write succeeded. The upright line "
        "in a bar is the goal. A p99 is of requests that succeeded. In the timelines yellow is how "
        "long the fault lasted, and pale red is where no request was answered; the length of a "
        "request stands where it began.",
        class_="muted",
    )


def _summary(run: Run) -> Element:
    heads = (
        "Fault",
        "Measured, of its goal",
        "",
        "Longest request",
        "Failed requests",
        "p99 before, during",
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
    everyone = fault.everyone
    rest = (
        ("longest", wording.seconds(everyone.longest if everyone else None)),
        ("failed", wording.failed(everyone)),
        ("p99", wording.p99(everyone)),
        ("lost", f"{fault.lost:,}" if everyone else wording.NONE),
    )
    return element(
        "tr",
        element("td", element("a", fault.title, href=f"#{fault.name}"), class_="what"),
        element("td", *_measured(fault), class_="measured"),
        element("td", _badge(finding(fault)), class_="verdict"),
        *(element("td", words, data_label=label, class_="rest number") for label, words in rest),
    )


def _measured(fault: FaultRecord) -> Iterator[Element]:
    """The main measure, and others that missed their goals."""
    main = fault.measures[0]
    promised = ", no goal" if main.goal is None else f" of {wording.goal(main.goal)}"
    yield element(
        "div",
        _bullet(main),
        element("span", f"{wording.seconds(main.seconds)}{promised}"),
        class_="measure",
    )
    yield element("small", main.what)
    if besides := wording.missed_besides(fault):
        yield element("small", besides, class_="bad")


def _bullet(measure: Measure) -> Element:
    if measure.goal is None:
        return element("span")
    share = measure.seconds / measure.goal
    bar = element("i", style=f"width: {min(share / _SCALE, 1):.1%}")
    over = "" if measure.met else " over"
    return element("div", bar, element("b"), class_=f"bullet{over}", aria_hidden="true")


def _badge(found: Finding) -> Element:
    return element(
        "span",
        f"{_SIGNS.get(found, '')}{found.value}",
        class_=f"badge {found.name.lower()}",
    )


def _section(fault: FaultRecord) -> Element:
    wrong = wording.data_wrong(fault)
    shown = [element("p", wrong, class_="bad")] if wrong else []
    return element(
        "section",
        element("div", element("h2", fault.title), _badge(finding(fault)), class_="title"),
        element("p", fault.claim),
        *shown,
        _tiles(fault),
        *_figure(fault),
        _notes(fault),
        *_clients(fault.summaries),
        id=fault.name,
    )


def _tiles(fault: FaultRecord) -> Element:
    tiles = [
        (
            wording.seconds(measure.seconds),
            f"{measure.what}, {wording.beside_goal(measure)}",
            measure.met is False,
        )
        for measure in fault.measures
    ]
    if fault.everyone:
        asked = wording.count(fault.everyone.requests, "request")
        consistent = "yes" if fault.linearizable else "no"
        tiles += [
            (wording.seconds(fault.everyone.longest), "longest request", False),
            (f"{fault.everyone.failed:,}", f"failed of {asked}", False),
            (f"{fault.lost:,}", "acknowledged writes lost", fault.lost > 0),
            (f"{fault.stale:,}", "stale reads", fault.stale > 0),
            (consistent, "linearizable", not fault.linearizable),
        ]
    return element(
        "ul",
        *(
            element("li", element("strong", figure), what, class_="wrong" if wrong else "right")
            for figure, what, wrong in tiles
        ),
        class_="tiles",
    )


def _figure(fault: FaultRecord) -> Iterator[Element]:
    """The timeline, or only the events of a fault that has none."""
    if fault.timeline:
        yield element(
            "figure",
            element("div", timeline(fault, narrow=False), class_="wide"),
            element("div", timeline(fault, narrow=True), _events(fault), class_="narrow"),
        )
    elif fault.events:
        yield _events(fault)


def _events(fault: FaultRecord) -> Element:
    return element(
        "ol",
        *(element("li", f"{event.at:.1f} s: {event.what}") for event in in_order(fault)),
        class_="events",
    )


def _notes(fault: FaultRecord) -> Element:
    notes = (
        ("Limit", fault.limit),
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


def _clients(summaries: Mapping[str, Summary]) -> Iterator[Element]:
    if not summaries:
        return
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
    yield element(
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
                        for kind, summary in summaries.items()
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
