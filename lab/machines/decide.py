"""Decision on the next step of an instance's machine. Pure.

| API says        | machine is absent | runs                            | has ended          |
| pending         | boot              | say running                     | boot               |
| running         | boot              | reboot if asked                 | boot, or stopped   |
| stopping        | say stopped       | shut down                       | say stopped        |
| stopped         |                   | shut down                       | release            |
| shutting-down   | say terminated    | shut down                       | say terminated     |
| nothing         |                   | kill                            | remove             |
"""

from dataclasses import dataclass
from enum import Enum, auto

from lab.machines.nspawn_machine import REBOOTED


class Step(Enum):
    """The next thing to do."""

    NOTHING = auto()
    BOOT = auto()
    SAY_RUNNING = auto()
    REBOOT = auto()
    SHUT_DOWN = auto()
    KILL = auto()
    SAY_STOPPED = auto()
    SAY_TERMINATED = auto()
    RELEASE = auto()
    """Keep the root, give back the network and the disks."""
    REMOVE = auto()


@dataclass(frozen=True)
class Seen:
    """A machine as it is."""

    exists: bool
    """It was booted, and not removed since."""
    runs: bool
    plugged: bool
    """It has its network, disks and root in place."""
    code: int | None = None
    """How its last run ended, if it ended by itself."""
    power_cut: bool = False
    """Somebody cut its power and wants it dark until further notice."""


_DOWN = {
    "pending": Step.BOOT,
    "stopping": Step.SAY_STOPPED,
    "shutting-down": Step.SAY_TERMINATED,
}
"""What ends a transition when no machine runs."""


def decide(state: str | None, machine: Seen, *, reboot: bool) -> Step:
    """The step; `state` is what the API says of the instance, None if there is none any more."""
    if machine.runs:
        return _running(state, reboot=reboot)
    if state == "running":
        return _should_run(machine)
    if state is None:
        return Step.REMOVE if machine.exists else Step.NOTHING
    if state == "stopped":
        return Step.RELEASE if machine.plugged else Step.NOTHING
    return _DOWN[state]


def _running(state: str | None, *, reboot: bool) -> Step:
    match state:
        case "pending":
            return Step.SAY_RUNNING
        case "running":
            return Step.REBOOT if reboot else Step.NOTHING
        case "stopping" | "stopped" | "shutting-down":
            return Step.SHUT_DOWN
    return Step.KILL


def _should_run(machine: Seen) -> Step:
    if machine.power_cut:
        return Step.NOTHING
    # A machine that powered itself off stops its instance; one that rebooted, or whose host lost
    # it, is booted again.
    halted = machine.code is not None and machine.code != REBOOTED
    return Step.SAY_STOPPED if halted else Step.BOOT
