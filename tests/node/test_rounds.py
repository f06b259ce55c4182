"""Rounds of the agent: what is due when, and real processes that run, fail, hang and are ended."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from node.contract import GATE_STALE_SECONDS, INTERVAL_SECONDS
from node.rounds import Rounds
from tests.recording import REPOSITORY


def simulate(reconciles, reports, start, until):
    """What began when, with runs that take so long each in turn, and by whom a run was ended."""
    rounds, now, began, killed = Rounds.begin(start), start, [], []
    lengths = {"reconcile": iter(reconciles), "report": iter(reports)}
    ends = {}
    while now < until:
        for name, when in rounds.times().items():
            runs = getattr(rounds, name)
            if now < when:
                continue
            if runs.process is None:
                runs.process, runs.began = 1, now
                ends[name] = now + next(lengths[name], 1.0)
                began.append((name, now))
            else:
                killed.append((name, now - runs.began))
                ends[name] = now
        now = min(*rounds.times().values(), *ends.values())
        for name in [name for name, end in ends.items() if end <= now]:
            runs = getattr(rounds, name)
            runs.process, runs.ended = None, now
            del ends[name]
    return began, killed


def test_reconcile_begins_at_once_and_each_report_follows_one():
    began, killed = simulate([2, 1], [1, 1], start=100, until=170)

    assert began == [
        ("reconcile", 100),
        ("report", 102),
        ("reconcile", 102 + INTERVAL_SECONDS),
        ("report", 103 + INTERVAL_SECONDS),
        ("reconcile", 103 + 2 * INTERVAL_SECONDS),
        ("report", 104 + 2 * INTERVAL_SECONDS),
    ]
    assert killed == []


def test_reports_come_all_the_same_while_reconcile_takes_long():
    began, _ = simulate([600], [1] * 30, start=0, until=620)

    times = [when for name, when in began if name == "report"]
    assert times[0] == INTERVAL_SECONDS
    assert times[-1] == 600
    assert max(b - a for a, b in pairwise(times)) < GATE_STALE_SECONDS / 2


def test_a_run_that_hangs_is_ended_and_the_next_one_comes():
    began, killed = simulate([1], [1000, 1], start=0, until=200)

    assert killed == [("report", 90)]
    assert [name for name, when in began if name == "report" and when > 91] != []
    # Nor did it hold up the other one.
    assert len([name for name, _ in began if name == "reconcile"]) >= 6


@given(
    st.lists(st.floats(0.1, 90), max_size=30),
    st.lists(st.floats(0.1, 20), max_size=30),
    st.floats(0, 1e6),
)
def test_neither_too_seldom_nor_too_often(reconciles, reports, start):
    began, _ = simulate(reconciles, reports, start, start + 600)

    for name, shortest in (("reconcile", INTERVAL_SECONDS), ("report", 0)):
        times = [when for what, when in began if what == name]
        assert all(b - a >= shortest for a, b in pairwise(times))
    told = [when for name, when in began if name == "report"]
    last = [when for name, when in began if name == "reconcile"]
    # For CloudWatch and Parameter Store a report costs money: at most two for each of the other.
    assert len(told) <= 2 * len(last) + 600 / INTERVAL_SECONDS
    gaps = [b - a for a, b in pairwise([start, *told])]
    assert max(gaps, default=0) < GATE_STALE_SECONDS


PROGRAM = """
import os, subprocess, sys
from node import cli, rounds

rounds.INTERVAL_SECONDS = 0.2
rounds.LIMITS = {"reconcile": 60, "report": 1.0}
rounds._preload = lambda settings: None
state = {"loaded": 0}
here = sys.argv[1]

def main(arguments):
    (name,) = arguments
    count = len(open(f"{here}/{name}").read()) if os.path.exists(f"{here}/{name}") else 0
    open(f"{here}/{name}", "a").write("x")
    state["loaded"] += 1
    print(f"{name} {count} {state['loaded']} {os.getpid()}")
    if name == "report" and count == 1:
        raise KeyError("a mistake")
    if name == "report" and count == 2:
        child = subprocess.Popen(["sleep", "1000"])
        print(f"sleeps {child.pid}", flush=True)
        child.wait()
    return 0

cli.main = main
rounds.run(None, None)
"""


@contextmanager
def agent(directory):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with (
        (directory / "said").open("wb") as said,
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(directory)],
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def lines(directory):
    return (directory / "said").read_text().splitlines()


def wait_for(directory, what):
    deadline = time.monotonic() + 60
    while not [line for line in lines(directory) if line.startswith(what)]:
        assert time.monotonic() < deadline, lines(directory)
        time.sleep(0.05)


def test_each_run_is_a_process_that_begins_anew_and_may_fail_or_hang(tmp_path):
    with agent(tmp_path) as process:
        wait_for(tmp_path, "report 4 ")
        wait_for(tmp_path, "reconcile 4 ")
        said = lines(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == -signal.SIGTERM

    runs = [line.split() for line in said if line.startswith(("reconcile", "report"))]
    runs = [words for words in runs if len(words) == 4]
    # What one changed, no other one has seen.
    assert {loaded for _, _, loaded, _ in runs} == {"1"}
    assert len({pid for *_, pid in runs}) == len(runs)
    assert runs[0][0] == "reconcile"
    assert "KeyError: 'a mistake'" in said
    assert [line for line in said if line == "report: killed, it had not ended after 1 s"]
    (sleeper,) = [line.split()[1] for line in said if line.startswith("sleeps")]
    status = Path(f"/proc/{sleeper}/status")
    # Dead, whether or not somebody has taken notice yet.
    assert not status.exists() or "State:\tZ" in status.read_text()


def test_what_the_commands_import_is_there_before_the_first_run():
    program = (
        "import sys; from node import rounds\n"
        "class S: worker = {}; region = 'eu-central-1'\n"
        "assert 'boto3' not in sys.modules\n"
        "rounds._preload(S)\n"
        "print(sorted({'boto3', 'node.reconcile', 'node.report', "
        "'node.worker.reconcile_worker', 'node.worker.worker_report'} & set(sys.modules)))"
    )

    def loaded(worker):
        done = subprocess.run(
            [sys.executable, "-c", program.replace("{}", worker)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        return done.stdout.strip()

    assert loaded("None") == "['boto3', 'node.reconcile', 'node.report']"
    # Memory of small machines: a worker hardly ever asks AWS.
    assert loaded("1") == "['node.worker.reconcile_worker', 'node.worker.worker_report']"
