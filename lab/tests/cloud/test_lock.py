"""Two commands at once refuse each other; a dead one holds nothing."""

import os
import signal
import subprocess
import sys

import pytest

from lab.lab_errors import LabError
from lab.lock import exclusive

HOLD = """
import sys
from pathlib import Path
from lab.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.stdin.close()


def test_a_second_command_names_the_first(tmp_path, holder):
    with pytest.raises(LabError) as refused, exclusive(tmp_path / "lock"):
        pytest.fail("both held the lock")
    assert str(refused.value) == (
        f"Another command (process {holder.pid}) is at work on this lab: "
        "wait for it or interrupt it."
    )


def test_a_killed_command_holds_nothing(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with exclusive(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_it_can_be_held_again_and_removed_while_held(tmp_path):
    lock = tmp_path / "lock"
    for _ in range(2):
        with exclusive(lock):
            lock.unlink()
    assert not lock.exists()
