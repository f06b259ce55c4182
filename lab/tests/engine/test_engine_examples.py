"""The programs of examples/ on the real engine, against the emulated AWS of the lab."""

import os
import shutil
import subprocess
import sys

import boto3
import pytest
import yaml

from lab.cloud import emulator_server
from lab.stack import pulumi_environment
from tests.recording import REPOSITORY

PROGRAM = ("components", "config", "node", "examples")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    running = emulator_server.start(tmp_path_factory.mktemp("emulator"), port=0)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def pulumi(tmp_path_factory, engine, emulator):
    """Runs a command of Pulumi in a copy of the example."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in PROGRAM:
        shutil.copytree(
            REPOSITORY / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    project = checkout / "examples/clusters"
    document = yaml.safe_load((project / "Pulumi.yaml").read_text())
    document["runtime"]["options"]["virtualenv"] = sys.prefix
    (project / "Pulumi.yaml").write_text(yaml.safe_dump(document))

    def run(*arguments):
        return subprocess.run(
            [engine.pulumi, *arguments, "--non-interactive", "--color", "never"],
            cwd=project,
            env={
                **pulumi_environment.for_pulumi(os.environ, engine, emulator),
                "PULUMI_SKIP_CHECKPOINTS": "true",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    assert run("stack", "init", "dev").returncode == 0
    return run


def instances(emulator, region):
    ec2 = boto3.client(
        "ec2",
        endpoint_url=emulator.endpoint,
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    return sorted(
        tag["Value"]
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] == "running"
        for tag in instance["Tags"]
        if tag["Key"] == "Name"
    )


def nodes(name, members, servers):
    return [f"{name}-api-{n}" for n in range(servers)] + [
        f"{name}-etcd-{n}" for n in range(members)
    ]


def test_two_clusters_of_one_program_come_and_one_is_kept(pulumi, emulator):
    """Ids of a network that the same update makes, and a provider of another region."""
    up = pulumi("up", "--yes")
    assert up.returncode == 0, up.stdout
    assert instances(emulator, "eu-central-1") == nodes("frankfurt", 3, 2)
    assert instances(emulator, "eu-west-1") == nodes("dublin", 1, 1)
    again = pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert again.returncode == 0, again.stdout
    # The hooks of one program ask the gates of the cluster that a resource belongs to.
    destroyed = pulumi("destroy", "--yes", "--skip-preview", "--run-program")
    assert destroyed.returncode != 0
    assert "gate: frankfurt-api-" in destroyed.stdout
    assert "this stack is protected, and this would destroy it" in destroyed.stdout
    assert "gate: dublin-api-0 goes: protect is false" not in destroyed.stdout
