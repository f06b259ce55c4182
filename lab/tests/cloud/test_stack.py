"""What a lab knows of its stack: environment, state, orphaned processes, outputs."""

import json
import os
import subprocess
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from lab.cloud.aws_environment import UNSET
from lab.engine.model import Engine
from lab.lab_errors import LabError
from lab.stack import leftovers, pulumi_environment, stack_outputs
from lab.stack.checkpoint import Checkpoint
from lab.workspace import Workspace

SERVER = SimpleNamespace(endpoint="http://127.0.0.1:5580")


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nstackConfigDir: config\n")
    return Workspace(tmp_path, tmp_path / ".lab")


@pytest.fixture
def engine(workspace):
    path = f"/opt/pulumi dir{os.pathsep}{os.environ['PATH']}"
    variables = {
        "PATH": path,
        "PULUMI_HOME": str(workspace.state / "engine"),
        "PULUMI_BACKEND_URL": f"file://{workspace.state / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(workspace.state / "passphrase"),
    }
    return Engine(Path("/opt/pulumi dir/pulumi"), variables, {})


@pytest.fixture
def checkpoint(workspace, engine):
    checkpoint = Checkpoint.of(workspace, engine)
    (checkpoint.backend / "stacks" / "tiny").mkdir(parents=True)
    return checkpoint


def _save(checkpoint, latest):
    path = checkpoint.backend / "stacks" / "tiny" / "local.json"
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))


def test_the_stacks_file_is_where_the_project_says(workspace, tmp_path):
    assert workspace.stack_file == tmp_path / "config" / "Pulumi.local.yaml"
    with pytest.raises(LabError, match="run from a checkout"):
        _ = Workspace(tmp_path / "nowhere", tmp_path).stack_file


def test_a_persons_passphrase_and_token_do_not_get_through(engine):
    person = {"PULUMI_CONFIG_PASSPHRASE": "mine", "PULUMI_ACCESS_TOKEN": "mine", "HOME": "/h"}
    variables = pulumi_environment.for_pulumi(person, engine, SERVER)
    assert "mine" not in variables.values()
    assert variables["HOME"] == "/h"
    assert variables["AWS_ENDPOINT_URL"] == SERVER.endpoint
    assert variables["PATH"].startswith("/opt/pulumi dir:")


def test_a_shell_that_sources_the_file_is_in_the_lab(engine, tmp_path):
    file = tmp_path / "env"
    file.write_text(pulumi_environment.for_shell(engine, SERVER, tmp_path / "completion.bash"))
    person = {"PATH": "/usr/bin:/bin", "AWS_PROFILE": "work", "PULUMI_STACK": "prod"}
    shown = subprocess.run(
        ["/bin/sh", "-euc", f". {file}; env"],
        env=person,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert "PATH=/opt/pulumi dir:/usr/bin:/bin" in shown
    assert f"AWS_ENDPOINT_URL={SERVER.endpoint}" in shown
    assert f"PULUMI_HOME={engine.environment['PULUMI_HOME']}" in shown
    assert "NO_PROXY=127.0.0.1,localhost" in shown
    assert "no_proxy=127.0.0.1,localhost" in shown
    names = {line.partition("=")[0] for line in shown}
    assert names & {*UNSET, *pulumi_environment.UNSET} == set()
    assert "passphrase" not in "".join(shown).replace(str(tmp_path / ".lab" / "passphrase"), "")


def test_no_stack_is_nothing(workspace, engine):
    checkpoint = Checkpoint.of(workspace, engine)
    assert (checkpoint.resources(), checkpoint.pending(), checkpoint.holders()) == (0, 0, [])


def test_an_empty_stack_is_nothing(checkpoint):
    _save(checkpoint, None)
    assert (checkpoint.resources(), checkpoint.pending()) == (0, 0)


def test_resources_and_cut_off_operations_are_counted(checkpoint):
    resources = [{"urn": "stack", "custom": False}, {"urn": "vpc", "custom": True}]
    _save(checkpoint, {"resources": resources, "pending_operations": [{"type": "creating"}]})
    assert (checkpoint.resources(), checkpoint.pending()) == (1, 1)
    checkpoint.remove()
    assert (checkpoint.resources(), checkpoint.pending()) == (0, 0)


def _lock(checkpoint, pid):
    directory = checkpoint.backend / "locks" / "organization" / "tiny" / "local"
    directory.mkdir(parents=True)
    (directory / "lock.json").write_text(json.dumps({"pid": pid}))


def _script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_lock_of_a_dead_pulumi_is_cancelled(workspace, engine, checkpoint, tmp_path):
    _lock(checkpoint, 2**22 + 1)
    cli = _script(tmp_path / "cli", f'echo "$@" > {tmp_path}/said')
    assert leftovers.free_lock(workspace, checkpoint, Engine(cli, {}, {}), {}) is True
    assert (tmp_path / "said").read_text() == "cancel --yes --stack local\n"


def test_the_lock_of_a_living_pulumi_is_respected(workspace, engine, checkpoint, tmp_path):
    program = _script(tmp_path / "pulumi", "echo begun; read line")
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        # Popen returns a moment before the kernel gives the process its new name.
        assert living.stdout
        assert living.stdout.readline() == b"begun\n"
        _lock(checkpoint, living.pid)
        cli = _script(tmp_path / "cli", f"touch {tmp_path}/called")
        with pytest.raises(LabError, match=rf"process {living.pid}\) is at work"):
            leftovers.free_lock(workspace, checkpoint, Engine(cli, {}, {}), {})
        living.communicate(b"\n")
    assert not (tmp_path / "called").exists()


def test_no_lock_calls_nothing(workspace, checkpoint, tmp_path):
    cli = _script(tmp_path / "cli", f"touch {tmp_path}/called")
    assert leftovers.free_lock(workspace, checkpoint, Engine(cli, {}, {}), {}) is False
    assert not (tmp_path / "called").exists()


def test_outputs_show_no_secret_and_no_wall_of_text():
    shown = StringIO()
    table = stack_outputs.table(
        {
            "kubeconfig": "[secret]",
            "caCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "etcd": {"size": 3, "endpoints": ["https://10.0.0.4:2379"]},
            "apiUrl": "https://api:6443",
            "nextSteps": {"alarms": "aws sns subscribe --topic-arn a:b"},
        }
    )
    Console(file=shown, width=200).print(table)
    text = shown.getvalue()
    assert "secret; `pulumi stack output kubeconfig --show-secrets`" in text
    assert "-----BEGIN CERTIFICATE----- ..." in text
    assert "MIIB" not in text
    assert "https://10.0.0.4:2379" in text
    assert "https://api:6443" in text
    assert "alarms: aws sns subscribe --topic-arn a:b " in text, "as it is to be pasted"
