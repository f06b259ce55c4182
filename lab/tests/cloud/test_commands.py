"""`python -m lab` as a person calls it."""

import json
import subprocess
import sys

import pytest

from lab.cloud import emulator_server
from lab.processes import identify
from lab.workspace import ROOT

SALT = "encryptionsalt: v1:abc=:v1:def:ghi==\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    return tmp_path


@pytest.fixture
def lab(project):
    def run(*arguments):
        place = ["--project", str(project), "--state", str(project / ".lab")]
        return subprocess.run(
            [sys.executable, "-m", "lab", *place, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_status_shows_what_down_removes(lab, project):
    state = project / ".lab"
    running = emulator_server.start(state, port=0)
    (project / "Pulumi.local.yaml").write_text(f"config: {{}}\n{SALT}")

    shown = lab("status").stdout.splitlines()
    first, second = lab("down"), lab("down")

    assert shown[0].startswith(f"AWS emulator: {running.endpoint}, process {running.identity.pid},")
    assert shown[1:] == ["update: none", "account: nothing"]
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.splitlines() == [
        "stopped the AWS emulator, and with it nothing",
        f"removed {state}",
        f"took the lab's encryption salt out of {project / 'Pulumi.local.yaml'}",
    ]
    assert second.stdout == "nothing to remove\n"
    assert not state.exists()
    assert not running.identity.alive()
    assert (project / "Pulumi.local.yaml").read_text() == "config: {}\n"


def test_down_works_after_a_crash(lab, project):
    state = project / ".lab"
    state.mkdir()
    (state / "emulator.json").write_text("{")
    stranger = identify(1)
    (state / "update.json").write_text(json.dumps({"pid": 1, "started": "another time"}))
    assert lab("down").stdout == f"removed {state}\n"
    assert identify(1) == stranger


def test_status_and_env_without_a_lab(lab, project):
    status, env = lab("status"), lab("env")
    assert (status.returncode, status.stdout) == (
        0,
        "AWS emulator: not running; `make up` starts it\n",
    )
    assert (env.returncode, env.stdout) == (1, "")
    assert env.stderr == "error: There is no lab: run `make up` first.\n"
    assert not (project / ".lab").exists()


def test_outside_of_a_project_one_sentence_says_so(lab, project):
    (project / "Pulumi.yaml").unlink()
    answer = lab("down")
    assert answer.returncode == 1
    assert answer.stderr == (
        f"error: {project / 'Pulumi.yaml'} is missing: run from a checkout of the project.\n"
    )
