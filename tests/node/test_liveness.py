"""The watchdog: what is dead is killed, and nothing else, whatever goes wrong with the check."""

import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from node import cli
from node.api import liveness
from node.errors import NodeError
from node.machine import Machine
from tests.node.doubles import FakeMachine, Quiet, serve
from tests.node.issued_certificates import Authority

UNIT = "kube-apiserver.service"
KILLED = [f"kill {UNIT}"]
ETCD_DOWN = "[+]ping ok\n[-]etcd failed: reason withheld\nlivez check failed\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(liveness, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(liveness, "TIMEOUT_SECONDS", 0.5)


@pytest.fixture
def machine():
    """An API server that has been up for longer than it may take to start."""
    machine = FakeMachine()
    machine.since[UNIT] = time.monotonic() - liveness.GRACE_SECONDS - 1
    return machine


@pytest.fixture
def api_server(monkeypatch):
    """Answer /livez without etcd, and in full; the paths that were asked for."""

    @contextmanager
    def start(status=200, body="ok", full=(200, "ok"), *, days=1.0):
        asked = []

        class Api(Quiet):
            def do_GET(self):
                asked.append(self.path)
                code, text = (status, body) if "exclude=etcd" in self.path else full
                if code:
                    self.reply(code, text.encode())

        tls = Authority("whoever").server_context("kube-apiserver", days=days)
        with serve(Api, tls) as port:
            monkeypatch.setattr(liveness, "PORT", port)
            yield asked

    return start


def dies(machine, why):
    with pytest.raises(NodeError, match=f"^killed {UNIT}, which failed 3 checks, .*: {why}$"):
        liveness.run(None, machine)
    assert machine.calls == KILLED


def spared(machine, why):
    with pytest.raises(NodeError, match=why):
        liveness.run(None, machine)
    assert machine.calls == []


def test_a_living_server_is_left_alone(api_server, machine):
    with api_server() as asked:
        assert liveness.run(None, machine) == "alive"
    assert asked == ["/livez?exclude=etcd"]
    assert machine.calls == []


def test_one_that_says_that_it_does_not_live_is_killed_after_three_checks(api_server, machine):
    body = "[+]ping ok\n[-]log failed: reason withheld\n[+]etcd excluded: ok\nlivez check failed\n"
    with api_server(500, body, (500, body)) as asked:
        dies(machine, "log failed")
    assert len([path for path in asked if "exclude" in path]) == 3


def test_one_that_recovers_is_left_alone(api_server, machine, monkeypatch):
    answers = iter(["silent", "silent", ""])
    monkeypatch.setattr(liveness, "death", lambda: next(answers))
    assert liveness.run(None, machine) == "alive"
    assert machine.calls == []


def test_one_that_hangs_is_killed(machine, monkeypatch):
    """It listens, and says nothing: stopped, or without a thread to spare."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(liveness, "PORT", listener.getsockname()[1])
        dies(machine, "no answer within 0 s")


def test_one_that_hangs_after_the_handshake_is_killed(api_server, machine, monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(Quiet, "reply", lambda *_: ended.wait(20))
    with api_server():
        dies(machine, "no answer within 0 s")
        ended.set()


def test_one_that_does_not_listen_is_killed(machine, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setattr(liveness, "PORT", port)
    dies(machine, f"nobody listens on port {port}")


@pytest.mark.parametrize("full", [(500, ETCD_DOWN), (0, "")])
def test_while_etcd_is_down_it_is_left_alone_whatever_else_fails(api_server, machine, full):
    with api_server(500, "[-]log failed: reason withheld\n", full):
        assert liveness.run(None, machine) == "alive"
    assert machine.calls == []


def test_one_that_cannot_finish_its_start_is_left_alone(api_server, machine):
    """Etcd is full: it answers what is read, and refuses what the hooks write."""
    hook = "poststarthook/priority-and-fairness-config-producer"
    body = f"[+]ping ok\n[-]{hook} failed: reason withheld\nlivez check failed\n"
    with api_server(500, body, (500, body)):
        assert liveness.run(None, machine) == "alive"
    assert machine.calls == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_an_answer_that_means_something_else_is_no_death(api_server, machine, status):
    with api_server(status, "Too many requests, please try again later."):
        spared(machine, f"answered {status} to /livez")


def test_an_expired_certificate_of_nobody_known_is_no_death(api_server, machine):
    """A restart would not renew it. No file of the node is read: none can be unreadable."""
    with api_server(days=-1):
        assert liveness.run(None, machine) == "alive"


@pytest.mark.parametrize("says", [b"", b"HTTP/1.0 200 OK\r\n\r\n"])
def test_what_speaks_no_tls_is_no_api_server(machine, monkeypatch, says):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(liveness, "PORT", listener.getsockname()[1])

        def answer():
            connection, _ = listener.accept()
            connection.sendall(says)
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        spared(machine, "does not answer as an API server")
        thread.join()


@pytest.mark.parametrize(("ago", "killed"), [(1, False), (179, False), (181, True)])
def test_a_starting_server_has_three_minutes(machine, monkeypatch, ago, killed):
    monkeypatch.setattr(liveness, "death", lambda: "silent")
    machine.since[UNIT] = time.monotonic() - ago
    if killed:
        dies(machine, "silent")
    else:
        assert liveness.run(None, machine) == f"{UNIT} is not up, or has just started"
        assert machine.calls == []


def test_a_stopping_server_drains_in_peace(machine, monkeypatch):
    monkeypatch.setattr(liveness, "death", lambda: pytest.fail("asked"))
    machine.since = {}
    assert liveness.run(None, machine) == f"{UNIT} is not up, or has just started"


def test_one_that_begins_to_stop_during_the_last_check_drains_in_peace(machine, monkeypatch):
    checks = iter([None, None, machine.since.clear])

    def death():
        if stop := next(checks):
            stop()
        return "silent"

    monkeypatch.setattr(liveness, "death", death)
    assert liveness.run(None, machine) == f"{UNIT} is stopping"
    assert machine.calls == []


@pytest.mark.parametrize(
    ("shown", "since"),
    [
        ("ActiveState=active\nActiveEnterTimestampMonotonic=81500000", 81.5),
        ("ActiveState=active\nActiveEnterTimestampMonotonic=", None),
        ("ActiveState=deactivating\nActiveEnterTimestampMonotonic=81500000", None),
        ("ActiveState=activating\nActiveEnterTimestampMonotonic=0", None),
        ("", None),
    ],
)
def test_since_when_a_service_is_active(systemctl, shown, since):
    systemctl(f"'{shown}'")
    assert Machine().active_since(UNIT) == since


def test_kill(systemctl):
    asked = systemctl("")
    Machine().kill(UNIT)
    assert asked() == [f"kill --signal=SIGKILL {UNIT}"]


@pytest.mark.parametrize("tools", ["none", "a systemctl that fails"])
def test_as_a_command_without_tools_it_fails_and_kills_nobody(
    node, tmp_path, monkeypatch, capfd, tools
):
    """Neither curl nor the node's files are needed."""
    node("api-0")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(liveness, "PORT", listener.getsockname()[1])
        monkeypatch.setenv("PATH", str(tmp_path))
        if tools != "none":
            tool = tmp_path / "systemctl"
            tool.write_text('#!/bin/sh\n[ "$1" = show ] || echo KILLED >&2\nexit 1\n')
            tool.chmod(0o755)
        assert cli.main(["liveness"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("liveness: systemctl")
    assert "KILLED" not in err


def test_errors_are_errors_in_the_journal(root):
    """systemd keeps the watchdog's other lines out of it."""
    code = (
        "import os, sys; s = os.fstat(2); "
        "os.environ['JOURNAL_STREAM'] = f'{s.st_dev}:{s.st_ino}' if sys.argv[1:] else '1:1'; "
        "from node.cli import main; main(['report'])"
    )
    for arguments, begins in (([], "report: "), (["journal"], "<3>report: ")):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr.startswith(begins)
