"""The report of a run of faults: what it says, that it is well-formed, and that it is inside of its frame."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lab.proofs.load.fault_record import FaultRecord
from lab.proofs.load.fault_run import Run
from lab.proofs.load.summary import Timeline
from lab.proofs.report.__main__ import main
from lab.proofs.report.bins import bins
from lab.proofs.report.finding import Finding, finding
from lab.proofs.report.label_rows import label_rows
from lab.proofs.report.markdown import BEGIN, END, part, with_part
from lab.proofs.report.page import page
from lab.proofs.report.scales import round_values
from lab.proofs.report.timeline_svg import picture
from lab.tests import failover_samples
from lab.tests.failover_samples import BINS

NASTY = "</style><script>alert('&amp;')</script> | `*_[x](y)_*`\n\x00\ud7ff"
DOCUMENT = f"# Proofs\n\nBefore.\n\n{BEGIN}\nstale\n{END}\n\nAfter.\n"


def loaded(run) -> Run:
    return TypeAdapter(Run).validate_json(json.dumps(run))


def a_fault(**changes) -> FaultRecord:
    return TypeAdapter(FaultRecord).validate_python(failover_samples.run()["faults"][0] | changes)


class Elements(HTMLParser):
    """Elements of a page and their text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_needs_no_other_file_and_no_script():
    elements = Elements(page(loaded(failover_samples.run())))
    assert not {"script", "link", "img", "iframe", "object"} & set(elements.tags)
    assert not [value for name, value in elements.attributes if name == "src"]
    links = [value for name, value in elements.attributes if name == "href"]
    anchors = {value for name, value in elements.attributes if name == "id"}
    assert {link.removeprefix("#") for link in links} == anchors
    assert len(anchors) == len(failover_samples.run()["faults"])
    assert "url(" not in "".join(elements.texts)


def test_the_page_has_a_section_with_everything_for_each_fault():
    run = loaded(failover_samples.run())
    text = " ".join(Elements(page(run)).texts)
    for fault in run.faults:
        said = [fault.title, fault.claim, fault.limit, fault.elsewhere, *fault.summaries]
        said += [event.what for event in fault.events] + [each.what for each in fault.measures]
        assert not [expected for expected in said if expected not in text]


def test_the_same_run_is_the_same_text():
    first, second = (loaded(failover_samples.run()) for _ in range(2))
    assert page(first) == page(second)
    assert part(first) == part(second)
    assert picture(first.faults[0]) == picture(second.faults[0])


def test_whatever_a_run_says_is_shown_as_text():
    run = failover_samples.run()
    run["faults"] = run["faults"][:1]
    run |= {"commit": NASTY, "date": NASTY, "command": NASTY}
    run["machine"]["kernel"] = run["versions"]["etcd"] = NASTY
    words = ("title", "claim", "limit", "elsewhere")
    run["faults"][0] |= dict.fromkeys(words, NASTY)
    run["faults"][0]["summaries"][NASTY] = run["faults"][0]["summaries"]["all"]
    run["faults"][0]["events"].append({"at": 5, "what": NASTY})
    run["faults"][0]["measures"].append({"what": NASTY, "seconds": 5, "goal": 4})
    shown = loaded(run)
    written = page(shown)
    elements = Elements(written)
    assert "script" not in elements.tags
    assert "<script" not in written
    assert NASTY.replace("\x00", "\N{REPLACEMENT CHARACTER}") in elements.texts
    root = ET.fromstring(picture(shown.faults[0]))
    assert not root.findall(".//{*}script")
    assert len(root.findall(".//{*}style")) == 1
    document = part(shown)
    assert "<script" not in document
    assert r"\[x\]" in document
    cells = {
        len(re.findall(r"(?<!\\)\|", line)) for line in document.splitlines() if line[:1] == "|"
    }
    assert cells == {9}


def stall(goal, *more):
    return {"measures": [{"what": "service stall", "seconds": 1.74, "goal": goal}, *more]}


KEPT = {"what": "longest request, a connection kept", "seconds": 16.0, "goal": 15.0}
WHOLE = {"what": "whole again after", "seconds": 41.6, "goal": None}


@pytest.mark.parametrize(
    ("changes", "found", "met", "said"),
    [
        (stall(3.0), Finding.MET, "1 of 1 goal", "Service stall 1.74 s, goal 3 s: met."),
        (stall(1.74), Finding.MET, "1 of 1 goal", "goal 1.74 s: met."),
        (stall(1.736), Finding.MISSED, "0 of 1 goal", "goal 1.736 s: missed by 0.004 s."),
        (stall(None), Finding.MEASURED, "0 of 0 goals", "Service stall 1.74 s, no goal."),
        (stall(3.0, WHOLE), Finding.MET, "1 of 1 goal", "Service stall 1.74 s, goal 3 s: met."),
        (stall(None, KEPT | {"goal": 16}), Finding.MET, "1 of 1 goal", "Service stall 1.74 s, no goal."),
        (stall(3.0, WHOLE, KEPT), Finding.MISSED, "1 of 2 goals",
         "Longest request, a connection kept 16.0 s, goal 15 s: missed by 1 s."),
        ({"lost": 1}, Finding.UNSAFE, "0 of 2 goals", "Data went wrong: 1 acknowledged write lost."),
        ({"stale": 2}, Finding.UNSAFE, "0 of 2 goals", "Data went wrong: 2 stale reads."),
        ({"linearizable": False}, Finding.UNSAFE, "0 of 2 goals",
         "Data went wrong: the history is not linearizable."),
    ],
)  # fmt: skip
def test_what_was_not_as_promised_is_said(changes, found, met, said):
    run = failover_samples.run()
    run["faults"] = [run["faults"][0] | changes]
    shown = loaded(run)
    assert finding(shown.faults[0]) is found
    assert ("class", f"badge {found.name.lower()}") in Elements(page(shown)).attributes
    assert said in picture(shown.faults[0])
    for document in (part(shown), page(shown)):
        assert f"1 fault, {met} met" in document
        assert ("Data went wrong in 1 fault." in document) is (found is Finding.UNSAFE)
    assert (f"**{found.value}**" in part(shown)) is (found in {Finding.MISSED, Finding.UNSAFE})


def test_the_summary_says_what_missed_its_goal_besides_the_main_measure():
    run = failover_samples.run()
    run["faults"] = [run["faults"][0] | stall(3.0, WHOLE, KEPT)]
    besides = "longest request, a connection kept 16.0 s of 15 s"
    assert f"**missed**: {besides} |" in part(loaded(run))
    elements = Elements(page(loaded(run)))
    assert besides in elements.texts
    assert ("class", "bullet over") not in elements.attributes
    run["faults"] = [run["faults"][0] | stall(1.0)]
    assert ("class", "bullet over") in Elements(page(loaded(run))).attributes


def test_every_measure_stands_in_its_section_with_what_became_of_its_goal():
    run = failover_samples.run()
    run["faults"] = [run["faults"][0] | stall(3.0, WHOLE, KEPT)]
    texts = Elements(page(loaded(run))).texts
    for said in (
        "service stall, goal 3 s: met",
        "whole again after, no goal",
        "longest request, a connection kept, goal 15 s: missed by 1 s",
    ):
        assert said in texts


def test_the_row_of_a_fault_has_its_figures():
    run = failover_samples.run()
    assert ("service stall 1.74 s | 3 s | met | 2.78 s | 3 of 3,704 | 31 ms, 1.57 s | 0 |") in part(
        loaded(run)
    )


def test_a_fault_without_the_load_has_events_and_no_figure_of_clients():
    run = failover_samples.run()
    run["faults"] = [fault for fault in run["faults"] if fault["timeline"] is None]
    (fault,) = loaded(run).faults
    assert finding(fault) is Finding.MET
    row = "another leads after 2.23 s | 5 s | met | \N{EN DASH} | \N{EN DASH} | \N{EN DASH} | \N{EN DASH} |"
    assert row in part(loaded(run))
    elements = Elements(page(loaded(run)))
    assert not {"svg", "details", "figure"} & set(elements.tags)
    text = " ".join(elements.texts)
    assert all(event.what in text for event in fault.events)
    assert "linearizable" not in text
    with pytest.raises(ValueError, match="without the load"):
        picture(fault)


def test_bins_that_become_one_keep_every_request_and_the_slowest():
    timeline = Timeline(0.5, -1.0, [1, 0, 3, 0, 5], [0, 0, 1, 0, 0], [0.1, 0.0, 0.3, 0.0, 0.0])
    merged = bins(timeline, 2)
    assert [(each.begin, each.end) for each in merged] == [(-1.0, 0.5), (0.5, 2.0)]
    assert [(each.ok, each.failed, each.slowest) for each in merged] == [(4, 1, 0.3), (5, 0, None)]
    assert [each.begin for each in bins(timeline, 9)] == [-1.0, -0.5, 0.0, 0.5, 1.0]


numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
positive = st.floats(0.001, 1e6)


@given(
    wanted=st.lists(st.tuples(st.floats(44, 950), st.text(max_size=60)), max_size=12),
    right=st.sampled_from([354.0, 954.0]),
)
def test_no_label_is_over_another_or_over_an_edge(wanted, right):
    wanted = [(min(line, right), text) for line, text in wanted]
    labels = label_rows(wanted, 6, right, 12)
    assert [label.line for label in labels] == [line for line, _ in wanted]
    for index, label in enumerate(labels):
        assert label.left >= 6
        assert label.right <= right + 1e-6
        for other in labels[index + 1 :]:
            apart = label.right <= other.left or other.right <= label.left
            assert label.row != other.row or apart


def test_lines_go_through_no_label_where_there_is_room():
    labels = label_rows(
        [(100, "it fails"), (110, "it is noticed"), (300, "it is back")], 6, 954, 12
    )
    assert [label.row for label in labels] == [1, 0, 0]
    assert [label.left for label in labels] == [105, 115, 305]


def test_the_last_label_is_on_the_left_of_its_line():
    (label,) = label_rows([(900, "at the end of the chart")], 6, 954, 12)
    assert label.right < 900


@given(low=numbers, length=positive, most=st.integers(1, 14))
def test_round_values_are_inside_and_not_too_many(low, length, most):
    values = round_values(low, low + length, most)
    assert len(values) <= most
    assert all(low - 1e-6 <= value <= low + length + 1e-6 for value in values)


def timelines():
    def of(length):
        counts = st.lists(st.integers(0, 10_000), min_size=length, max_size=length)
        slow = st.lists(st.floats(0, 1e4), min_size=length, max_size=length)
        return st.fixed_dictionaries({
            "step": st.floats(0.01, 60), "begin": st.floats(-1e4, 1e4), "ok": counts,
            "failed": counts, "slowest": slow,
        })  # fmt: skip

    return st.integers(0, 60).flatmap(of)


events = st.lists(
    st.fixed_dictionaries({"at": st.floats(-1e4, 1e4), "what": st.text(max_size=80)}), max_size=9
)


def bounded(part, width, top, bottom):
    """Whether a shape is inside of a frame; paths by their absolute points."""
    number = {name: float(value) for name, value in part.attrib.items() if name in {
        "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"}}  # fmt: skip
    across = [number[name] for name in ("x", "x1", "x2", "cx") if name in number]
    down = [number[name] for name in ("y", "y1", "y2", "cy") if name in number]
    across += [number["x"] + number["width"]] if "width" in number else []
    down += [number["y"] + number["height"]] if "height" in number else []
    for x, y in re.findall(r"[ML](-?[\d.]+),(-?[\d.]+)", part.get("d", "")):
        across.append(float(x))
        down.append(float(y))
    return all(-0.02 <= x <= width + 2 for x in across) and all(
        top - 0.02 <= y <= bottom + 0.02 for y in down
    )


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=30)
@given(timeline=timelines(), events=events, lasts=st.floats(0, 1e4))
def test_any_timeline_is_well_formed_and_inside_of_its_frame(timeline, events, lasts):
    fault = a_fault(timeline=timeline, events=events, began=1000.0, ended=1000.0 + lasts)
    root = ET.fromstring(picture(fault))
    _, top, width, height = map(float, root.attrib["viewBox"].split())
    assert width == 960
    outside = [part.attrib for part in root.iter() if not bounded(part, width, top, top + height)]
    assert not outside
    assert root.attrib["role"] == "img"
    bars = len(bins(fault.timeline, 10_000))
    assert len(root.findall(".//{*}rect[@class='hit']")) in range(bars // 2, bars + 1)


def test_a_timeline_has_its_bins_events_and_tooltips():
    fault = a_fault()
    root = ET.fromstring(picture(fault))
    hits = root.findall(".//{*}rect[@class='hit']")
    assert len(hits) == BINS
    assert hits[0][0].text.startswith("-15.0 to -14.5 s: ")
    words = {part.text for part in root.findall(".//{*}text")}
    assert {f"{event.at:.1f} s  {event.what}" for event in fault.events} <= words
    description = root.findtext("{*}desc")
    assert "The fault lasts 30.0 s." in description
    assert "3 requests failed, between" in description
    assert all(event.what in description for event in fault.events)


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "proofs.md").write_text(DOCUMENT)
    return tmp_path


def published(docs, run, *more):
    path = docs / "run.json"
    path.write_text(run if isinstance(run, str) else json.dumps(run))
    return main([str(path), "--docs", str(docs), *more])


def test_the_command_writes_page_document_and_picture(docs, capsys):
    run = failover_samples.run()
    assert published(docs, run) == 0
    shown = loaded(run)
    assert (docs / "failover.html").read_text() == page(shown)
    document = (docs / "proofs.md").read_text()
    assert document == with_part(DOCUMENT, shown) == with_part(document, shown)
    assert document.startswith("# Proofs\n\nBefore.\n")
    assert document.endswith("\n\nAfter.\n")
    assert "stale\n" not in document
    (slowest,) = (fault for fault in shown.faults if fault.name == "all-power")
    assert (docs / "images/failover.svg").read_text() == picture(slowest)
    assert capsys.readouterr().out.split() == [
        str(docs / name) for name in ("failover.html", "proofs.md", "images/failover.svg")
    ]


def test_the_picture_is_of_the_fault_that_is_named(docs):
    assert published(docs, failover_samples.run(), "--picture", "api-crash") == 0
    assert "An API server is killed" in (docs / "images/failover.svg").read_text()


def broken(**changes):
    run = failover_samples.run()
    run["faults"] = run["faults"][:1]
    run["faults"][0] |= changes
    return run


@pytest.mark.parametrize(
    ("run", "more", "said"),
    [
        ("{", (), "is no run of faults: the file: Invalid JSON"),
        (broken(measures=[]), (), "faults.0.measures: List should have at least 1 item"),
        (broken(measures=[WHOLE | {"goal": "soon"}]), (), "faults.0.measures.0.goal: Input should be a valid number"),
        (broken(measures=[WHOLE | {"seconds": -1}]), (), "faults.0.measures.0.seconds: Input should be greater"),
        (broken(goal_seconds=3), (), "faults.0.goal_seconds: Unexpected keyword argument"),
        (broken(summaries={"kept": failover_samples.run()["faults"][0]["summaries"]["kept"]}), (), "no summary of all clients"),
        (broken(timeline=failover_samples.run()["faults"][0]["timeline"] | {"ok": []}), (), "a timeline has as many bins"),
        (broken(name="A b"), (), "faults.0.name: String should match"),
        (broken(began=float("nan")), (), "faults.0.began: Input should be a finite number"),
        (failover_samples.run() | {"faults": []}, (), "has no fault."),
        (failover_samples.run() | {"faults": 2 * broken()["faults"]}, (), "two faults of one name."),
        (broken(), ("--picture", "fire"), "no timeline of a fault fire; it has etcd-leader-power."),
        (broken(timeline=None, summaries={}), (), "The run has no fault under load"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_one_sentence_and_nothing_is_written(docs, capsys, run, more, said):
    assert published(docs, run, *more) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in docs.iterdir()) == ["proofs.md", "run.json"]
    assert (docs / "proofs.md").read_text() == DOCUMENT


@pytest.mark.parametrize("document", [None, "# Proofs\n", f"{END}\n{BEGIN}\n"])
def test_without_a_document_to_fill_nothing_is_written(docs, capsys, document):
    (docs / "proofs.md").unlink() if document is None else (docs / "proofs.md").write_text(document)
    assert published(docs, failover_samples.run()) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (docs / "failover.html").exists()
