"""State of a group that moto has no place for, kept at moto's own group."""

from dataclasses import dataclass, field
from datetime import datetime

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.core.utils import utcnow
from moto.ec2.models.instances import Instance
from moto.moto_api._internal import mock_random

from lab.cloud.auto_scaling.group_view import Action, Refresh, State

REFRESHING = frozenset({"Pending", "InProgress"})
CANCELLING = "Cancelling"


class Member(InstanceState):
    """An instance of a group; attribute names are those that moto's serializer looks for."""

    def __init__(
        self,
        instance: Instance,
        group: FakeAutoScalingGroup,
        template: dict[str, str],
        now: float,
        launch: "Activity | None" = None,
    ) -> None:
        super().__init__(
            instance,
            lifecycle_state=State.PENDING.value,
            protected_from_scale_in=group.new_instances_protected_from_scale_in,
            autoscaling_group=group,
        )
        self.launched = self.since = now
        self.launch = launch
        self.impaired_since: float | None = None
        self.actions: tuple[Action, ...] = ()
        self._template = template

    @property
    def launch_template(self) -> dict[str, str]:
        """The launch template that it was launched with, which is not always the group's."""
        return self._template

    def move(self, state: State, actions: tuple[Action, ...], now: float) -> None:
        """Come into a state."""
        self.lifecycle_state, self.since, self.actions = state.value, now, actions
        if self.launch and state is State.PENDING_WAIT:
            self.launch.status_code, self.launch.progress = "MidLifecycleAction", 50
        elif self.launch and state is State.IN_SERVICE:
            self.launch.status_code, self.launch.progress = "Successful", 100

    def abandon(self, why: str) -> None:
        """Its launch was given up; the words are those of the Auto Scaling guide ("Troubleshooting
        Amazon EC2 Auto Scaling")."""
        if self.launch:
            token = mock_random.uuid4()
            self.launch.status_message = (
                "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "
                f"{token} was abandoned: {why}"
            )
            self.launch.description += f".  Status Reason: {self.launch.status_message}"
            self.launch.status_code, self.launch.progress = "Cancelled", 100


@dataclass
class Activity:
    """A scaling activity."""

    auto_scaling_group_name: str
    description: str
    cause: str
    status_code: str
    status_message: str = ""
    activity_id: str = field(default_factory=lambda: str(mock_random.uuid4()))
    start_time: datetime = field(default_factory=utcnow)
    end_time: datetime = field(default_factory=utcnow)
    progress: int = 100
    details: str = "{}"


@dataclass
class RefreshRecord:
    """An instance refresh, for as long as the group exists."""

    auto_scaling_group_name: str
    plan: Refresh
    status: str = "Pending"
    status_reason: str | None = None
    percentage_complete: int = 0
    instances_to_update: int = 0
    instance_refresh_id: str = field(default_factory=lambda: str(mock_random.uuid4()))
    start_time: datetime = field(default_factory=utcnow)
    end_time: datetime | None = None

    def end(self, status: str, reason: str | None) -> None:
        """It is over."""
        self.status, self.status_reason, self.end_time = status, reason, utcnow()


@dataclass
class Held:
    """What a group has besides moto's own."""

    refreshes: list[RefreshRecord] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    retry_at: float = 0.0
    deleting: bool = False

    @property
    def refresh(self) -> RefreshRecord | None:
        """The refresh that goes on."""
        return next((one for one in self.refreshes if one.status in REFRESHING), None)

    @property
    def cancelling(self) -> RefreshRecord | None:
        """The refresh that ends once launches and terminations have."""
        return next((one for one in self.refreshes if one.status == CANCELLING), None)


def held(group: FakeAutoScalingGroup) -> Held:
    """The state of a group."""
    state: Held = group.__dict__.setdefault("_held", Held())
    return state
