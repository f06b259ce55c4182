"""One run of Pulumi: watched, stopped gracefully, its failures told. A script stands for the CLI."""

import os
import signal
import sys
import threading
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lab.engine.model import Engine
from lab.lab_errors import LabError
from lab.stack import leftovers, update
from lab.workspace import Workspace

CLI = """#!{python}
import json, os, signal, sys, time
arguments = sys.argv[1:]
log = open(arguments[arguments.index("--event-log") + 1], "w")
def tell(event):
    log.write(json.dumps(event) + "\\n"); log.flush()
def step(kind):
    tell({{kind: {{"metadata": {{"op": "create", "urn": "urn:pulumi:l::p::a:b/c:D::n"}}}}, "timestamp": 1}})
preview = arguments[0] == "preview"
open("calls", "a").write(" ".join(arguments[:3]) + "\\n")
{body}
if preview:
    tell({{"summaryEvent": {{"isPreview": True, "resourceChanges": {{"create": 1}}}}}})
else:
    step("resourcePreEvent"); step("resOutputsEvent")
"""

WAIT = """
def stop(*_):
    open("interrupts", "a").write("x"); ({then})
signal.signal(signal.SIGINT, stop)
open("ready", "w").close()
time.sleep(60)
"""


@pytest.fixture
def run(tmp_path):
    workspace = Workspace(tmp_path, tmp_path / ".lab")
    workspace.prepare()
    shown = StringIO()

    def make(body=""):
        cli = tmp_path / "pulumi"
        cli.write_text(CLI.format(python=sys.executable, body=body))
        cli.chmod(0o755)
        environment = {"PATH": os.environ["PATH"]}
        return update.run(workspace, Engine(cli, {}, {}), environment, Console(file=shown))

    make.workspace, make.shown, make.directory = workspace, shown, tmp_path
    return make


def _signal_when_ready(directory: Path, *numbers: int) -> None:
    def send():
        for index, number in enumerate(numbers):
            seen = directory / ("ready" if index == 0 else "interrupts")
            while not seen.exists():
                threading.Event().wait(0.01)
            os.kill(os.getpid(), number)

    threading.Thread(target=send).start()


def test_it_previews_and_then_updates(run):
    tally = run()
    assert (run.directory / "calls").read_text() == (
        "preview --stack local\nup --yes --skip-preview\n"
    )
    assert (tally.total, tally.done, tally.errors) == (1, 1, [])
    assert "1 resources to change" in run.shown.getvalue()
    assert "[1/1] created b.D n (0 s)" in run.shown.getvalue()
    assert not run.workspace.update.exists()
    for log in (run.workspace.events, run.workspace.preview_events, run.workspace.update_log):
        assert log.stat().st_mode & 0o777 == 0o600


def test_a_failed_preview_changes_nothing_and_tells_why(run):
    failure = (
        'tell({"diagnosticEvent": {"severity": "error", "message": "etcd.size must be odd"}})\n'
        "sys.exit(255)"
    )
    with pytest.raises(LabError, match=r"^The update failed:\netcd\.size must be odd\n"):
        run(failure)
    assert (run.directory / "calls").read_text() == "preview --stack local\n"


def test_a_failure_without_events_shows_what_the_cli_printed(run):
    with pytest.raises(LabError, match="incorrect passphrase"):
        run('sys.exit("error: incorrect passphrase")')


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interrupt_is_passed_on_once(run, number):
    before = signal.getsignal(signal.SIGINT)
    _signal_when_ready(run.directory, number)
    with pytest.raises(update.InterruptedUpdateError):
        run(WAIT.format(then="sys.exit(1)"))
    assert (run.directory / "interrupts").read_text() == "x"
    assert "once more to kill" in run.shown.getvalue()
    assert signal.getsignal(signal.SIGINT) is before
    assert (run.directory / "calls").read_text() == "preview --stack local\n"


def test_the_second_interrupt_kills_the_update_and_its_hosts(run):
    host = "import subprocess; subprocess.Popen(['sleep', '60'])"
    _signal_when_ready(run.directory, signal.SIGINT, signal.SIGINT)
    with pytest.raises(update.InterruptedUpdateError):
        run(f"{host}\n{WAIT.format(then='None')}time.sleep(60)")
    assert leftovers.stop_orphaned_processes(run.workspace.state) is False
