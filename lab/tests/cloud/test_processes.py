"""Processes are known by more than their number."""

import signal
import subprocess
import sys

import pytest

from lab.processes import ProcessIdentity, command, identify, marked
from lab.stack import leftovers

STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
)


@pytest.fixture
def start():
    started = []

    def make(program="print(flush=True); input()", **options):
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **options,
        )
        process.stdout.readline()
        started.append(process)
        return process

    yield make
    for process in started:
        process.kill()
        process.communicate()


def test_an_identity_survives_a_file(start, tmp_path):
    identity = identify(start().pid)
    identity.save(tmp_path / "it")
    assert ProcessIdentity.load(tmp_path / "it") == identity
    assert (tmp_path / "it").stat().st_mode & 0o777 == 0o600


def test_another_process_with_the_same_number_is_not_it(start, tmp_path):
    process = start()
    earlier = ProcessIdentity(process.pid, "1")
    earlier.save(tmp_path / "it")

    assert ProcessIdentity.load(tmp_path / "it") is None
    earlier.stop(patience=0)
    assert process.poll() is None


def test_an_ended_process_is_dead_even_before_it_is_reaped(start):
    process = start()
    identity = identify(process.pid)
    process.send_signal(signal.SIGKILL)
    assert identity.ended(patience=5)
    assert identify(process.pid) is None


def test_a_process_that_will_not_end_is_killed(start):
    process = start(STUBBORN)
    identify(process.pid).stop(patience=0.1)
    assert process.wait() == -signal.SIGKILL


def test_a_process_that_ends_when_asked_is_not_killed(start):
    process = start()
    identify(process.pid).stop(patience=5)
    assert process.wait() == -signal.SIGTERM


def test_the_name_of_a_program(start):
    assert command(start().pid).startswith("python")
    assert command(2**22 + 1) is None


def test_only_marked_processes_are_orphans(start, tmp_path):
    other = start(env={leftovers.UPDATE_MARK: str(tmp_path / "other")})
    orphan = start(env={leftovers.UPDATE_MARK: str(tmp_path)})
    assert marked(leftovers.UPDATE_MARK, str(tmp_path)) == [identify(orphan.pid)]

    assert leftovers.stop_orphaned_processes(tmp_path) is True

    assert orphan.wait() == -signal.SIGTERM
    assert other.poll() is None
    assert leftovers.stop_orphaned_processes(tmp_path) is False
