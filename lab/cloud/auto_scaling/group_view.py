"""An Auto Scaling group as its decisions see it, and the steps that they give. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Life-cycle states (Auto Scaling guide, "Amazon EC2 Auto Scaling instance lifecycle")."""

    PENDING = "Pending"
    PENDING_WAIT = "Pending:Wait"
    PENDING_PROCEED = "Pending:Proceed"
    IN_SERVICE = "InService"
    TERMINATING = "Terminating"
    TERMINATING_WAIT = "Terminating:Wait"
    TERMINATING_PROCEED = "Terminating:Proceed"
    STANDBY = "Standby"


STARTING = frozenset({State.PENDING, State.PENDING_WAIT, State.PENDING_PROCEED})
LEAVING = frozenset({State.TERMINATING, State.TERMINATING_WAIT, State.TERMINATING_PROCEED})
COUNTED = STARTING | {State.IN_SERVICE}
"""What counts towards the desired capacity."""

LAUNCHING_HOOK = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING_HOOK = "autoscaling:EC2_INSTANCE_TERMINATING"

CONTINUE, ABANDON = "CONTINUE", "ABANDON"


@dataclass(frozen=True)
class Hook:
    """A lifecycle hook."""

    name: str
    transition: str
    heartbeat: float
    """Seconds that an action waits."""
    default: str
    """Result of an action that nobody completes."""


@dataclass(frozen=True)
class Action:
    """A lifecycle action: a hook that an instance waits for."""

    hook: str
    due: float
    """When it ends by itself."""
    default: str
    result: str | None = None
    """What somebody completed it with."""


@dataclass(frozen=True)
class Member:
    """An instance of a group."""

    id: str
    zone: str
    state: State
    since: float
    """When it came into its state."""
    launched: float
    instance: str
    """State of the instance: `pending`, `running` and so on."""
    version: str = ""
    """Of the launch template that it was launched with."""
    healthy: bool = True
    """False once somebody reported it unhealthy (SetInstanceHealth)."""
    impaired_since: float | None = None
    """When its status check began to fail."""
    protected: bool = False
    """From scale-in."""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class Refresh:
    """An instance refresh that goes on."""

    to_replace: frozenset[str]
    """Instances that it has to replace, by id."""
    minimum: int
    """Percentage of the desired capacity that stays healthy and warm."""
    maximum: int
    """Percentage of the desired capacity that may be there at a time."""
    warmup: float
    """Seconds in service after which an instance that was launched since counts."""
    began: float = 0.0
    progressed: float = 0.0
    """When a member last came into service, or one that it replaces began to leave."""


@dataclass(frozen=True)
class Group:
    """A group at one moment."""

    desired: int
    zones: tuple[str, ...]
    """In the order of its subnets."""
    version: str = ""
    """Of the launch template, for what is launched now."""
    members: tuple[Member, ...] = ()
    hooks: tuple[Hook, ...] = ()
    grace: float = 0.0
    """Seconds in service in which failed status checks are ignored."""
    refresh: Refresh | None = None
    suspended: frozenset[str] = frozenset()
    """Processes that do nothing."""
    retry_at: float = 0.0
    """No launch before: the one before failed."""

    def in_service(self) -> list[Member]:
        """Members in service."""
        return [member for member in self.members if member.state is State.IN_SERVICE]

    def counted(self) -> list[Member]:
        """Members that count towards the desired capacity."""
        return [member for member in self.members if member.state in COUNTED]


@dataclass(frozen=True)
class Launch:
    """Launch an instance in a zone."""

    zone: str
    cause: str


@dataclass(frozen=True)
class Terminate:
    """Begin to terminate a member."""

    member: str
    cause: str
    unhealthy: bool = False
    """Whether it goes because it is."""
    abandoned: str = ""
    """Why its launch was given up; empty for one that was in service."""


@dataclass(frozen=True)
class Move:
    """Bring a member into a state, and have it wait for hooks."""

    member: str
    state: State
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class EndInstance:
    """Terminate the instance of a member."""

    member: str


@dataclass(frozen=True)
class Forget:
    """Drop a member whose instance is terminated."""

    member: str


@dataclass(frozen=True)
class EndRefresh:
    """End the refresh."""

    status: str
    reason: str


Step = Launch | Terminate | Move | EndInstance | Forget | EndRefresh
Steps = Sequence[Step]
