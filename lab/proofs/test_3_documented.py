"""Proof 3: what tutorial and runbooks have people type on machines works as it is written."""

import shlex
import subprocess
from collections.abc import Iterator
from functools import partial

import pytest

from lab.proofs.documented_commands import Block, those_that_run
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.running import fault_injection
from lab.workspace import Workspace

SECONDS = 120.0
"""In which a command is to succeed, typed again where it fails: a client may see an election."""
DONE_BEFORE = "AlreadyExists"
"""Says the second attempt when the answer to the first was lost."""


@pytest.fixture
def whole(session: LabSession) -> Iterator[None]:
    """The cluster is whole before and afterwards, whatever happened."""
    until("the cluster is ready", session.ready)
    yield
    fault_injection.heal(session.lab)
    until("the cluster is ready again", session.ready)


@pytest.mark.parametrize("block", those_that_run("lab"), ids=str)
def test_documented_commands_of_the_lab_work(
    session: LabSession, workspace: Workspace, whole: None, block: Block
) -> None:
    for command in block.typed(workspace.env):
        until(command, partial(_works, workspace, command), SECONDS)


@pytest.mark.parametrize("block", those_that_run("on"), ids=str)
def test_documented_commands_work_on_a_machine(session: LabSession, block: Block) -> None:
    node = session.lab.node(block.machine)
    for command in block.commands:
        assert session.within(node, "bash", "-c", f"set -o pipefail; {command}"), command


def _works(workspace: Workspace, command: str) -> bool:
    """Whether a command succeeds in a shell that is in this lab."""
    done = subprocess.run(
        ["bash", "-c", f". {shlex.quote(str(workspace.env))}\n{command}"],
        cwd=workspace.project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0 or DONE_BEFORE in done.stderr
