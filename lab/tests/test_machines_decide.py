"""What happens next to a machine, for every state of its instance."""

import itertools

import pytest

from lab.machines.decide import Seen, Step, decide
from lab.machines.nspawn_machine import REBOOTED

ABSENT = Seen(exists=False, runs=False, plugged=False)
RUNS = Seen(exists=True, runs=True, plugged=True)
HALTED = Seen(exists=True, runs=False, plugged=True, code=0)
REBOOTING = Seen(exists=True, runs=False, plugged=True, code=REBOOTED)
KILLED = Seen(exists=True, runs=False, plugged=True)
CUT = Seen(exists=True, runs=False, plugged=True, power_cut=True)
RELEASED = Seen(exists=True, runs=False, plugged=False, code=0)


@pytest.mark.parametrize(
    ("state", "machine", "step"),
    [
        ("pending", ABSENT, Step.BOOT),
        ("pending", RELEASED, Step.BOOT),
        ("pending", RUNS, Step.SAY_RUNNING),
        ("running", RUNS, Step.NOTHING),
        ("running", ABSENT, Step.BOOT),
        ("running", KILLED, Step.BOOT),
        ("running", REBOOTING, Step.BOOT),
        ("running", HALTED, Step.SAY_STOPPED),
        ("running", CUT, Step.NOTHING),
        ("stopping", RUNS, Step.SHUT_DOWN),
        ("stopping", HALTED, Step.SAY_STOPPED),
        ("stopping", CUT, Step.SAY_STOPPED),
        ("stopping", ABSENT, Step.SAY_STOPPED),
        ("stopped", HALTED, Step.RELEASE),
        ("stopped", RELEASED, Step.NOTHING),
        ("stopped", RUNS, Step.SHUT_DOWN),
        ("shutting-down", RUNS, Step.SHUT_DOWN),
        ("shutting-down", HALTED, Step.SAY_TERMINATED),
        ("shutting-down", ABSENT, Step.SAY_TERMINATED),
        (None, RUNS, Step.KILL),
        (None, HALTED, Step.REMOVE),
        (None, ABSENT, Step.NOTHING),
    ],
)
def test_next_step(state, machine, step):
    assert decide(state, machine, reboot=False) is step


def test_a_running_machine_reboots_when_asked():
    assert decide("running", RUNS, reboot=True) is Step.REBOOT


def test_a_reboot_never_delays_a_shutdown():
    for state in ("stopping", "shutting-down", "stopped"):
        assert decide(state, RUNS, reboot=True) is Step.SHUT_DOWN


def test_nobody_is_told_that_a_machine_is_gone_while_it_runs():
    states = ("pending", "running", "stopping", "stopped", "shutting-down", None)
    over = {Step.SAY_STOPPED, Step.SAY_TERMINATED, Step.RELEASE, Step.REMOVE}
    for state, reboot in itertools.product(states, (False, True)):
        assert decide(state, RUNS, reboot=reboot) not in over
