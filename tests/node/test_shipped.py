"""The program as user data carries it: one tier's modules, without documentation, as a directory."""

import os
import subprocess
import sys

import pytest

from components.userdata.paths import LIBRARY
from components.userdata.program import PROGRAM, program
from tests.node.certificates import api_files, etcd_files
from tests.node.conftest import put_files


@pytest.fixture
def shipped(tmp_path):
    """Write a tier's program; run it as its units do."""

    def write(tier):
        for file in program(tier):
            path = tmp_path / file.path.removeprefix(f"{LIBRARY}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.content)

        def run(*arguments):
            return subprocess.run(
                [sys.executable, "-I", tmp_path / PROGRAM.removeprefix(f"{LIBRARY}/"), *arguments],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env=os.environ,
            )

        return run

    return write


@pytest.mark.parametrize("tier", ["api", "etcd"])
def test_it_runs_without_the_other_tier(request, shipped, tier):
    node, aws, authority, systemctl = map(
        request.getfixturevalue, ("node", "aws", "authority", "systemctl")
    )
    systemctl("inactive")
    files = {
        "api": lambda: api_files(authority),
        "etcd": lambda: etcd_files(authority, "etcd-0", "10.0.224.4"),
    }[tier]()
    put_files(aws, f"{tier}-0", files)
    node(f"{tier}-0")
    run = shipped(tier)
    done = run("report")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "report: waiting, not healthy\n"
    done = run("reconcile")
    if tier == "etcd":
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("reconcile: the data volume is not mounted")
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("reconcile: AWS: ")
        assert "ParameterNotFound" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("tier", ["api", "etcd"])
def test_usage(shipped, tier):
    done = shipped(tier)()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: node prepare|reconcile|report\n"
