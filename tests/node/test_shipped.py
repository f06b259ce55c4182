"""The agent as a node gets it: stored in the bucket, fetched and unpacked, run as its units do."""

import os
import subprocess
import sys

import boto3
import pytest

from components.userdata.agent_archive import AGENT, agent_archive
from node.settings import at
from tests.node.conftest import REGION, put_files
from tests.node.fetcher_process import fetch, identity
from tests.node.issued_certificates import api_files, etcd_files


@pytest.fixture
def shipped(bucket, node):
    """Bring the agent onto a node; run it as its units do."""
    archive = agent_archive().content
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_object(Bucket=bucket, Key=agent_archive().key, Body=archive)

    def bring(name):
        node(name, agent=identity(bucket, archive))
        done = fetch()
        assert (done.returncode, done.stderr) == (0, "")

        def run(*arguments):
            return subprocess.run(
                [sys.executable, "-I", at(AGENT), *arguments],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env=os.environ,
            )

        return run

    return bring


@pytest.mark.parametrize("tier", ["api", "etcd"])
def test_it_runs_on_a_node_of_either_tier(request, shipped, tier):
    aws, authority, systemctl = map(request.getfixturevalue, ("aws", "authority", "systemctl"))
    systemctl("inactive")
    files = {
        "api": lambda: api_files(authority),
        "etcd": lambda: etcd_files(authority, "etcd-0", "10.0.224.4"),
    }[tier]()
    put_files(aws, f"{tier}-0", files)
    run = shipped(f"{tier}-0")
    done = run("report")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "report: waiting, not healthy\n"
    done = run("release-lease", "kube-scheduler")
    assert (done.returncode, done.stdout) == (1, "")
    wrong = {
        "api": "node.env has no address: run ha-node prepare\n",
        "etcd": "etcd-0 is no API server: run this on one\n",
    }[tier]
    assert done.stderr.endswith(wrong)
    done = run("reconcile")
    if tier == "etcd":
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("reconcile: the data volume is not mounted")
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("reconcile: AWS: ")
        assert "ParameterNotFound" in done.stderr
        assert done.stderr.count("\n") == 1


def test_usage(shipped):
    done = shipped("api-0")()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ha-node ")
