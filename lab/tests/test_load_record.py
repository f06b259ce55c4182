"""The record of a fault under load, and the run that the records of a session become."""

import json
import subprocess
from dataclasses import replace

import pytest

from lab.proofs.load import collected_run
from lab.proofs.load.collected_run import collected, commit_of, load_words, memory_gib, save
from lab.proofs.load.fault_record import (
    Event,
    Fault,
    Measure,
    recorded,
    recorded_without_load,
)
from lab.proofs.load.fault_run import Machine, Versions, read
from lab.proofs.report.page import page
from lab.tests.test_load_summary import FINE, request, whole

FAULT = Fault(
    name="leader-power",
    title="The leading etcd loses power",
    claim="Writes go on",
    limit="the election timeout",
    elsewhere="longer",
)
LEADS = Measure("another leads after", 1.5, 2.0)
MACHINE = Machine(2, 7.8, "6.12.0", "1, 2, 3")


def under_load(**changes):
    return recorded(
        FAULT,
        whole(request(1), request(6), request(6.5, 3, kind="fresh"), request(9, op="read")),
        FINE,
        **{"goal": 4.0, "began": 5.0, "ended": 7.0, "events": [Event(0.0, "power cut")]} | changes,
    )


def run(*records):
    return collected(
        records, commit="0123abc", machine=MACHINE, versions=Versions("1", "3"), command="again"
    )


def test_the_main_measure_of_a_fault_under_load_is_the_stall_of_the_service():
    record = under_load(measures=[LEADS])
    stall, leads = record.measures
    assert (stall.what, stall.goal, stall.met) == ("service stall", 4.0, False)
    # Between the first write and the second, whoever made them.
    assert stall.seconds == pytest.approx(5.0) == record.everyone.stall
    assert leads is LEADS
    assert leads.met is True
    assert under_load(goal=None).measures[0].met is None
    assert Measure("stall", 2.0, 2.0).met is True


def test_a_fault_without_the_load_has_measures_and_nothing_of_clients():
    record = recorded_without_load(FAULT, [LEADS], began=5.0, ended=7.0)
    assert (record.measures, record.summaries, record.timeline) == ([LEADS], {}, None)
    assert record.everyone is None


def test_a_run_is_read_as_it_was_kept(tmp_path):
    kept = run(
        under_load(measures=[LEADS]),
        recorded_without_load(replace(FAULT, name="lease"), [LEADS], began=8.0, ended=9.0),
    )
    path = tmp_path / "build" / "failover.json"
    save(kept, path)
    assert read(path) == kept
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    found, _ = json.loads(path.read_text())["faults"]
    assert list(found) == [
        *("name", "title", "claim", "limit", "elsewhere", "measures", "began", "ended"),
        *("events", "summaries", "lost", "stale", "linearizable", "timeline"),
    ]
    assert found["measures"][1] == {"what": "another leads after", "seconds": 1.5, "goal": 2.0}
    assert "another leads after" in page(read(path))


def test_a_run_is_of_the_day_of_its_first_fault_and_has_the_last_record_of_each():
    first = under_load(began=1_790_000_000.0, ended=1_790_000_030.0)
    again = under_load(began=1_790_090_000.0, ended=1_790_090_030.0)
    assert run(first).date == "2026-09-21"
    assert run(first, again).faults == [again]
    with pytest.raises(ValueError, match="empty"):
        run()


def test_the_memory_is_in_gib():
    assert memory_gib("MemFree: 1 kB\nMemTotal:        8152340 kB\n") == 7.8
    with pytest.raises(ValueError, match="MemTotal"):
        memory_gib("SwapTotal: 1 kB\n")


def test_the_load_is_in_words():
    words = "2.10, 1.90, 0.40 over 1, 5 and 15 minutes"
    assert load_words("2.10 1.90 0.40 3/512 4711\n") == words


def git(directory, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", directory, *who, *words], check=True, capture_output=True)


def test_a_commit_says_whether_there_were_changes(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "--message", "a")
    clean = commit_of(tmp_path)
    assert set(clean) <= set("0123456789abcdef")
    git(tmp_path, "tag", "--annotate", "v1", "--message", "v1")
    assert commit_of(tmp_path) == clean
    (tmp_path / "a").write_text("2")
    assert commit_of(tmp_path) == f"{clean}-dirty"


def test_without_git_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) == "unknown"
    assert commit_of(tmp_path / "nowhere") == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(tmp_path) == "unknown"


def test_this_machine_is_described():
    machine = collected_run.this_machine()
    assert machine.cores > 0
    assert machine.memory_gib > 0
    assert machine.kernel
