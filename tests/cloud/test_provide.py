"""The emulator and the stack's state go on together or begin anew together."""

import os
import signal
from dataclasses import dataclass, field

import pytest

from lab.cloud import server
from lab.stack import cloud
from lab.workspace import Workspace


@dataclass
class Stack:
    """A stack's state as the cloud sees it."""

    known: int = 0
    cut_off: int = 0
    removed: list[bool] = field(default_factory=list)

    def resources(self):
        return self.known

    def pending(self):
        return self.cut_off

    def remove(self):
        self.removed.append(True)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path, tmp_path / ".lab")
    monkeypatch.setattr(server, "port_from", lambda _: 0)
    said = []

    def provide(stack):
        return cloud.provide(workspace, stack, said.append)

    provide.said = said
    yield provide
    running = server.find(workspace.state)
    if running:
        running.stop()


def test_a_running_emulator_goes_on(lab):
    first = lab(Stack())
    again = lab(stack := Stack(known=3))
    assert again == first
    assert stack.removed == []
    assert lab.said[-1] == f"continuing with the AWS emulator at {first.endpoint}"


def test_the_state_of_a_lost_emulator_goes(lab):
    first = lab(Stack())
    os.kill(first.identity.pid, signal.SIGKILL)
    assert first.identity.ended(patience=5)

    again = lab(stack := Stack(known=3))

    assert again.answers()
    assert again.identity != first.identity
    assert stack.removed == [True]
    assert "the emulated account of the last run is gone: starting clean" in lab.said


def test_cut_off_operations_start_clean(lab):
    first = lab(Stack())
    again = lab(stack := Stack(known=3, cut_off=2))
    assert (again.identity != first.identity, stack.removed) == (True, [True])
    assert not first.identity.alive()


def test_an_account_that_no_stack_knows_starts_clean(lab):
    first = lab(Stack())
    ec2 = cloud.clients(first)("ec2")
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert lab(Stack(known=1)) == first
    assert lab(Stack()) != first
