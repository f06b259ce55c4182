"""`prove`, interrupted at the terminal, lets the proofs put back what they changed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab.workspace import ROOT

PATIENCE = 30.0

PROOFS = """\
import signal, sys, time
from pathlib import Path

told = Path(sys.argv[1])

def interrupted(*_):
    with told.open("a") as file:
        file.write("interrupted\\n")
    if told.read_text().count("interrupted") == 1:
        raise KeyboardInterrupt

signal.signal(signal.SIGINT, interrupted)
told.write_text("proving\\n")
try:
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)
    with told.open("a") as file:
        file.write("put back\\n")
"""

TERMINAL = """\
import signal, sys
from lab.commands.prove import watched

# What a terminal starts has it; what a script starts in the background ignores the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(watched([sys.executable, *sys.argv[1:]]))
"""


def test_proofs_are_interrupted_once_and_waited_for(tmp_path: Path) -> None:
    told, proofs = tmp_path / "told", tmp_path / "proofs.py"
    proofs.write_text(PROOFS)
    with subprocess.Popen(
        [sys.executable, "-c", TERMINAL, str(proofs), str(told)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while not told.exists() or told.read_text() != "proving\n":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # As a terminal does it: everybody in the group of processes.
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=PATIENCE)
    assert told.read_text() == "proving\ninterrupted\nput back\n"
    assert process.returncode != 0
    assert complaint.rstrip().endswith("KeyboardInterrupt")
