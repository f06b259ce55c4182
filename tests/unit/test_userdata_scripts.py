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

    assert machine.run("install-packages", "chrony", "openssl", "haproxy").returncode == 0
    (update, install) = machine.calls("apt-get")
    assert update == "apt-get update"
    assert install.endswith("--option DPkg::Lock::Timeout=600 openssl haproxy")
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
