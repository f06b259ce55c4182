"""The scripts of user data, run against stand-ins of the programs that they call."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "components" / "userdata" / "files"


class Machine:
    """A PATH of stand-ins; each writes down how it was called."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.log = directory / "log"
        self.log.touch()

    def stub(self, name: str, body: str = "") -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{body}\n')
        path.chmod(0o755)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.bin}:{os.environ['PATH']}"}
        return subprocess.run(
            ["sh", SCRIPTS / script, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, *words: str) -> list[str]:
        lines = self.log.read_text().splitlines()
        return [line for line in lines if all(word in line for word in words)]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


KILLED = ("systemctl", "kill", "--signal=SIGKILL", "kube-apiserver.service")


@pytest.fixture
def api_server(machine):
    """An API server with a state, a time of start, and answers."""

    def make(*, active=True, started=0, uptime=1000, living=True, etcd="[+]etcd ok"):
        machine.stub(
            "systemctl",
            f'case "$1" in is-active) exit {0 if active else 3} ;; show) echo {started}000000 ;; esac',
        )
        machine.stub("cut", f"echo {uptime}")
        machine.stub("sleep")
        machine.stub(
            "curl",
            f'case "$*" in *exclude=etcd*) exit {0 if living else 22} ;; *) echo "{etcd}" ;; esac',
        )
        return machine

    return make


def test_living_server_is_left_alone(api_server):
    machine = api_server()

    assert machine.run("kube-apiserver-liveness").returncode == 0
    assert len(machine.calls("curl")) == 1
    assert machine.calls("https://127.0.0.1:6443/livez?exclude=etcd", "--cacert", "--max-time")
    assert not machine.calls(*KILLED)


def test_dead_server_is_killed_after_three_checks(api_server):
    machine = api_server(living=False)

    done = machine.run("kube-apiserver-liveness")

    assert done.returncode == 0
    assert len(machine.calls("curl", "exclude=etcd")) == 3
    assert len(machine.calls(*KILLED)) == 1
    # An error for journald: the unit keeps anything less out of the journal.
    assert done.stderr.startswith("<3>kube-apiserver failed its liveness check three times")


def test_silent_server_is_killed_too(api_server):
    machine = api_server(living=False)
    machine.stub("curl", "exit 28")

    assert machine.run("kube-apiserver-liveness").returncode == 0
    assert len(machine.calls(*KILLED)) == 1


def test_server_without_etcd_is_left_alone_whatever_else_fails(api_server):
    machine = api_server(living=False, etcd="[-]etcd failed: reason withheld")

    assert machine.run("kube-apiserver-liveness").returncode == 0
    assert len(machine.calls("curl", "exclude=etcd")) == 1
    assert not machine.calls(*KILLED)


@pytest.mark.parametrize(("uptime", "killed"), [(100, 0), (279, 0), (280, 1)])
def test_starting_server_has_three_minutes(api_server, uptime, killed):
    machine = api_server(living=False, started=100, uptime=uptime)

    assert machine.run("kube-apiserver-liveness").returncode == 0
    assert len(machine.calls(*KILLED)) == killed


def test_stopping_server_drains_in_peace(api_server):
    machine = api_server(active=False, living=False)

    assert machine.run("kube-apiserver-liveness").returncode == 0
    assert not machine.calls("curl")
    assert not machine.calls(*KILLED)


@pytest.fixture
def packages(machine):
    """A machine with some packages; asking for others fails as dpkg-query does."""

    def make(*installed):
        names = "|".join(installed) or "-"
        machine.stub(
            "dpkg-query",
            f'for last; do :; done; case "$last" in {names}) printf installed ;; *) exit 1 ;; esac',
        )
        machine.stub("apt-get")
        return machine

    return make


def test_packages_that_are_there_need_no_mirror(packages):
    machine = packages("chrony", "haproxy")

    assert machine.run("install-packages", "chrony", "haproxy").returncode == 0
    assert not machine.calls("apt-get")


def test_only_missing_packages_are_installed(packages):
    machine = packages("chrony")

    assert machine.run("install-packages", "chrony", "curl", "haproxy").returncode == 0
    (update, install) = machine.calls("apt-get")
    assert update == "apt-get update"
    assert install.endswith("--option DPkg::Lock::Timeout=600 curl haproxy")
    assert " chrony" not in install


def test_package_that_is_removed_but_configured_is_missing(packages):
    machine = packages()
    machine.stub("dpkg-query", "printf config-files")

    assert machine.run("install-packages", "haproxy").returncode == 0
    assert len(machine.calls("apt-get install", "haproxy")) == 1


def test_failed_installation_fails_so_that_systemd_tries_again(packages):
    machine = packages()
    machine.stub("apt-get", '[ "$1" = update ] && exit 100')

    assert machine.run("install-packages", "haproxy").returncode == 100
    assert not machine.calls("apt-get install")
