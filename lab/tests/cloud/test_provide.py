"""The emulator and the stack's state go on together or begin again together."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from lab.cloud import emulator_server
from lab.stack import cloud
from lab.workspace import Workspace


@dataclass
class Emulator:
    """A server as `provide` sees it."""

    endpoint: str
    healthy: bool = True
    stopped: bool = False
    account: dict = field(default_factory=dict)

    def answers(self):
        return self.healthy

    def inventory(self):
        return self.account

    def stop(self):
        self.stopped = True


@dataclass
class Stack:
    """A stack's state as `provide` sees it."""

    known: int = 0
    cut_off: int = 0
    removed: bool = False

    def resources(self):
        return self.known

    def pending(self):
        return self.cut_off

    def remove(self):
        self.removed = True


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Runs `provide`; `running` says what it finds, `said` what it told."""
    state = SimpleNamespace(running=Emulator("http://old"), said=[])
    monkeypatch.setattr(emulator_server, "find", lambda _: state.running)
    monkeypatch.setattr(emulator_server, "start", lambda *_: Emulator("http://new"))
    workspace = Workspace(tmp_path, tmp_path / ".lab")
    state.provide = lambda stack: cloud.provide(workspace, stack, state.said.append).endpoint
    return state


@pytest.mark.parametrize(("known", "account"), [(0, {}), (3, {}), (3, {"VPC": ["vpc-1"]})])
def test_a_running_emulator_goes_on(lab, known, account):
    lab.running.account, stack = account, Stack(known=known)
    assert lab.provide(stack) == "http://old"
    assert (lab.running.stopped, stack.removed) == (False, False)
    assert lab.said == ["continuing with the AWS emulator at http://old"]


def test_the_first_run_says_nothing_of_an_earlier_one(lab):
    lab.running, stack = None, Stack()
    assert lab.provide(stack) == "http://new"
    assert stack.removed is False
    assert lab.said == ["AWS emulator at http://new"]


@pytest.mark.parametrize("stack", [Stack(known=3), Stack(cut_off=1)])
def test_the_state_of_a_lost_emulator_goes(lab, stack):
    lab.running = None
    assert lab.provide(stack) == "http://new"
    assert stack.removed is True
    assert lab.said[0] == "the emulated account of the last run is gone: starting clean"


@pytest.mark.parametrize(
    ("stack", "healthy", "account", "reason"),
    [
        (Stack(known=3, cut_off=2), True, {}, "the last run was killed within 2 operations"),
        (Stack(), True, {"VPC": ["vpc-1"]}, "the emulated account holds resources"),
        (Stack(known=3), False, {}, "the AWS emulator does not answer any more"),
    ],
)
def test_what_does_not_fit_together_starts_clean(lab, stack, healthy, account, reason):
    lab.running.healthy, lab.running.account = healthy, account
    assert lab.provide(stack) == "http://new"
    assert (lab.running.stopped, stack.removed) == (True, True)
    assert lab.said[0].startswith(reason)
    assert lab.said[0].endswith(": starting clean")
