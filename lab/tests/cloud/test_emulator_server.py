"""The life of the server: start, find, refuse, stop."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lab.cloud import emulator_server
from lab.cloud.emulator import FILE
from lab.lab_errors import LabError
from lab.processes import identify


@pytest.fixture
def directory(tmp_path):
    yield tmp_path
    left = emulator_server.find(tmp_path)
    if left:
        left.stop()


def test_start_find_stop(directory):
    started = emulator_server.start(directory, port=0)

    found = emulator_server.find(directory)
    assert found == started
    assert found.answers()
    assert os.getsid(started.identity.pid) == started.identity.pid  # out of reach of a Ctrl-C here
    assert (directory / FILE).stat().st_mode & 0o777 == 0o600
    assert started.log.stat().st_mode & 0o777 == 0o600

    started.stop()
    assert not started.identity.alive()
    assert not started.answers()
    assert emulator_server.find(directory) is None
    assert not (directory / FILE).exists()
    started.stop()  # a second time does nothing


def test_it_listens_on_loopback_only(directory):
    started = emulator_server.start(directory, port=0)
    assert urlsplit(started.endpoint).hostname == "127.0.0.1"
    port = f":{started.identity.port:04X}"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    listening = [fields[1] for fields in sockets if fields[3] == "0A"]
    assert [one for one in listening if one.endswith(port)] == [f"0100007F{port}"]


def test_an_interrupt_does_not_end_it(directory):
    started = emulator_server.start(directory, port=0)
    os.kill(started.identity.pid, signal.SIGINT)
    assert started.answers()


def test_a_port_in_use_is_one_sentence_that_says_what_to_do(directory):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LabError) as refused:
            emulator_server.start(directory, port)
    assert str(refused.value) == (
        f"Port {port} is in use by another program: end it, "
        "or set HA_LAB_PORT to a free port and run again."
    )
    assert emulator_server.find(directory) is None


def test_a_killed_server_is_found_dead(directory):
    started = emulator_server.start(directory, port=0)
    os.kill(started.identity.pid, signal.SIGKILL)
    assert started.identity.ended(patience=5)
    assert emulator_server.find(directory) is None
    assert not (directory / FILE).exists()


def test_a_stranger_with_the_same_pid_is_neither_found_nor_stopped(directory):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        identity = {"pid": stranger.pid, "started": "1", "port": 1}
        (directory / FILE).write_text(json.dumps(identity))

        assert emulator_server.find(directory) is None
        emulator_server.Server(emulator_server.ServerIdentity(**identity), directory).stop()

        assert stranger.poll() is None
        assert identify(stranger.pid) is not None
        stranger.communicate(b"\n")


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_identity_file_is_no_server(directory, broken):
    (directory / FILE).write_text(broken)
    assert emulator_server.find(directory) is None


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "1.5"])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(LabError, match="HA_LAB_PORT must be a port number"):
        emulator_server.port_from({"HA_LAB_PORT": port})


def test_the_port_has_a_default():
    assert emulator_server.port_from({}) == emulator_server.port_from({"HA_LAB_PORT": ""}) == 5580
    assert emulator_server.port_from({"HA_LAB_PORT": "6000"}) == 6000
