"""The watchdog: what is dead is killed, and nothing else, whatever goes wrong with the check."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from node.api import liveness
from node.errors import NodeError
from node.machine import Machine
from tests.node.daemons import wait_until
from tests.node.doubles import FakeMachine, Quiet, serve
from tests.node.issued_certificates import Authority
from tests.recording import REPOSITORY

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
    with pytest.raises(
        liveness.KilledError, match=f"^killed {UNIT}, which failed 3 checks, .*: {why}$"
    ):
        liveness.check(machine)
    assert machine.calls == KILLED


def spared(machine, why):
    with pytest.raises(NodeError, match=why) as raised:
        liveness.check(machine)
    assert not isinstance(raised.value, liveness.KilledError)
    assert machine.calls == []


def test_a_living_server_is_left_alone(api_server, machine):
    with api_server() as asked:
        assert liveness.check(machine)
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
    assert liveness.check(machine)
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
        assert liveness.check(machine)
    assert machine.calls == []


def test_one_that_cannot_finish_its_start_is_left_alone(api_server, machine):
    """Etcd is full: it answers what is read, and refuses what the hooks write."""
    hook = "poststarthook/priority-and-fairness-config-producer"
    body = f"[+]ping ok\n[-]{hook} failed: reason withheld\nlivez check failed\n"
    with api_server(500, body, (500, body)):
        assert liveness.check(machine)
    assert machine.calls == []


@pytest.mark.parametrize("body", ["Too many requests, please try again later.", "[-]\n[-] \n"])
@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_an_answer_that_means_something_else_is_no_death(api_server, machine, status, body):
    with api_server(status, body):
        spared(machine, f"answered {status} to /livez")


def test_an_expired_certificate_of_nobody_known_is_no_death(api_server, machine):
    """A restart would not renew it. No file of the node is read: none can be unreadable."""
    with api_server(days=-1):
        assert liveness.check(machine)


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
        assert not liveness.check(machine)
        assert machine.calls == []


def test_a_stopping_server_drains_in_peace(machine, monkeypatch):
    monkeypatch.setattr(liveness, "death", lambda: pytest.fail("asked"))
    machine.since = {}
    assert not liveness.check(machine)


def test_one_that_begins_to_stop_during_the_last_check_drains_in_peace(machine, monkeypatch):
    checks = iter([None, None, machine.since.clear])

    def death():
        if stop := next(checks):
            stop()
        return "silent"

    monkeypatch.setattr(liveness, "death", death)
    assert not liveness.check(machine)
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


LIVES, NOT_UP = True, False
CANNOT_TELL = NodeError("systemctl failed (1): it says why")
DEAD = liveness.KilledError(f"killed {UNIT}, which was silent")

SAYS_ALIVE = ("out", f"liveness: {UNIT} is alive")
SAYS_WHY_NOT = ("err", f"liveness: {CANNOT_TELL}")
SAYS_KILLED = ("err", f"liveness: {DEAD}")


@pytest.fixture
def said(machine, monkeypatch, capsys):
    """Look as often as there are results of a check; the lines, and where they were written."""

    def look(*results):
        found, lines, trouble = iter(results), [], ""

        def check(_machine):
            result = next(found)
            if isinstance(result, NodeError):
                raise result
            return result

        monkeypatch.setattr(liveness, "check", check)
        for _ in results:
            trouble = liveness.look(machine, trouble)
            for name, text in capsys.readouterr()._asdict().items():
                lines += [(name, line) for line in text.splitlines()]
        return lines

    return look


def test_nothing_is_said_of_one_that_lives_starts_or_stops(said):
    assert said(NOT_UP, NOT_UP, LIVES, LIVES, NOT_UP, LIVES) == []


def test_a_trouble_is_said_once_and_so_is_its_end(said):
    assert said(LIVES, *[CANNOT_TELL] * 5, *[LIVES] * 3) == [SAYS_WHY_NOT, SAYS_ALIVE]


def test_it_is_said_again_when_it_comes_again_and_so_is_another_one(said):
    other = NodeError("another one")
    assert said(CANNOT_TELL, LIVES, CANNOT_TELL, other, other, CANNOT_TELL) == [
        SAYS_WHY_NOT,
        SAYS_ALIVE,
        SAYS_WHY_NOT,
        ("err", "liveness: another one"),
        SAYS_WHY_NOT,
    ]


def test_each_kill_is_said_and_that_it_is_back(said):
    assert said(LIVES, DEAD, NOT_UP, NOT_UP, DEAD, DEAD, NOT_UP, LIVES, LIVES) == [
        *[SAYS_KILLED] * 3,
        SAYS_ALIVE,
    ]


def test_a_trouble_is_not_over_while_the_api_server_is_not_up(said):
    """Somebody else has its port: it cannot start, and is not up between two attempts."""
    assert said(CANNOT_TELL, NOT_UP, CANNOT_TELL, NOT_UP) == [SAYS_WHY_NOT]


COMMAND = """
import sys
from node import cli
from node.api import liveness

liveness.INTERVAL_SECONDS = liveness.PAUSE_SECONDS = 0.02
liveness.GRACE_SECONDS = 0
liveness.LIMIT_SECONDS, liveness.PORT = map(int, sys.argv[1:])
sys.exit(cli.main(["liveness"]))
"""


class Service:
    """systemctl, as a program that says what the test wants it to, and what it was asked for."""

    def __init__(self, directory):
        self._state, self._asked = directory / "state", directory / "asked"
        self._asked.touch()
        tool = directory / "systemctl"
        tool.write_text(f'#!/bin/sh\necho "$@" >> {self._asked}\n. {self._state}\n')
        tool.chmod(0o755)

    def works(self):
        self._become("echo ActiveState=active; echo ActiveEnterTimestampMonotonic=1")

    def fails(self):
        self._become("echo it says why >&2; exit 1")

    def _become(self, state):
        # In one step: it may be asked meanwhile.
        new = self._state.with_suffix(".new")
        new.write_text(f"{state}\n")
        new.replace(self._state)

    def asked(self, what):
        return [line for line in self._asked.read_text().splitlines() if line.startswith(what)]


@contextmanager
def command(directory, port, limit=600):
    """`ha-node liveness` as a process of its own, and what it has said."""
    said = directory / "said"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PATH": str(directory)}
    # As on the machines: what is not flushed comes too late.
    environment.pop("PYTHONUNBUFFERED", None)
    line = [sys.executable, "-c", COMMAND, str(limit), str(port)]
    with (
        said.open("wb") as output,
        subprocess.Popen(line, stdout=output, stderr=output, env=environment) as process,
    ):
        try:
            yield process, lambda: said.read_text().splitlines()
        finally:
            process.kill()


def test_as_a_command_it_goes_on_whatever_happens(node, tmp_path):
    """Neither curl nor a file of the node but for its name is needed."""
    node("api-0")
    service, died = Service(tmp_path), threading.Event()

    class Api(Quiet):
        def do_GET(self):
            if died.is_set() and not service.asked("kill"):
                self.reply(500, b"[-]log failed: reason withheld\n")
            else:
                self.reply(200, b"ok")

    def looks():
        before = len(service.asked("show"))
        wait_until(lambda: len(service.asked("show")) > before + 5, "it looks some more times")

    service.fails()
    tls = Authority("whoever").server_context("kube-apiserver")
    with serve(Api, tls) as port, command(tmp_path, port) as (process, lines):
        expected = ["liveness: systemctl failed (1): it says why"]
        looks()
        assert lines() == expected
        assert service.asked("kill") == []

        service.works()
        expected.append(f"liveness: {UNIT} is alive")
        wait_until(lambda: lines() == expected, "it can tell again")
        looks()
        assert lines() == expected

        died.set()
        why = "which failed 3 checks, the last one so: log failed"
        expected += [f"liveness: killed {UNIT}, {why}", f"liveness: {UNIT} is alive"]
        wait_until(lambda: lines() == expected, "the API server is killed, and alive")
        looks()
        assert lines() == expected
        assert service.asked("kill") == [f"kill --signal=SIGKILL {UNIT}"]

        process.terminate()
        assert process.wait(timeout=30) == -signal.SIGTERM


def test_as_a_command_without_systemctl_it_goes_on(node, tmp_path):
    node("api-0")
    with command(tmp_path, 1) as (process, lines):
        wait_until(lines, "it says something")
        assert lines() == ["liveness: systemctl: [Errno 2] No such file or directory: 'systemctl'"]
        assert process.poll() is None


def test_a_look_without_end_ends_the_process_and_systemd_starts_another(node, tmp_path):
    """An answer that never is complete, though a part of it comes all the time."""
    node("api-0")
    Service(tmp_path).works()

    class Api(Quiet):
        def do_GET(self):
            with suppress(OSError):
                while True:
                    self.wfile.write(b"H")
                    time.sleep(0.05)

    tls = Authority("whoever").server_context("kube-apiserver")
    with serve(Api, tls) as port, command(tmp_path, port, limit=2) as (process, lines):
        assert process.wait(timeout=60) == -signal.SIGALRM
        assert lines() == []


def test_errors_are_errors_in_the_journal(root):
    """So that somebody who asks it for errors finds them."""
    code = (
        "import os, sys; s = os.fstat(2); "
        "os.environ['JOURNAL_STREAM'] = f'{s.st_dev}:{s.st_ino}' if sys.argv[1:] else '1:1'; "
        "from node.cli import main; main(['report'])"
    )
    for arguments, begins in (([], "report: "), (["journal"], "<3>report: ")):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr.startswith(begins)
