"""A group whose steps are taken in memory: instances follow at once, and machines when told."""

from dataclasses import dataclass, field, replace

from lab.cloud.auto_scaling import group_view as view
from lab.cloud.auto_scaling import refresh_plan
from lab.cloud.auto_scaling.plan import plan

DRAIN = view.Hook("drain", view.TERMINATING_HOOK, 900, view.CONTINUE)
JOIN = view.Hook("join", view.LAUNCHING_HOOK, 900, view.ABANDON)


@dataclass
class Simulation:
    """A group, its clock, and what happened to it."""

    group: view.Group
    now: float = 1000.0
    made: int = 0
    ended: list[view.Member] = field(default_factory=list)
    """Members whose instances were terminated, as they were then."""
    refreshes: list[str] = field(default_factory=list)
    """How refreshes ended."""
    joins: frozenset[str] = frozenset("12")
    """Versions of the launch template whose machines join."""

    def settle(self) -> None:
        """Take steps until none are left; endless steps would be an endless loop in the lab."""
        for _ in range(200):
            if refresh := self.group.refresh:
                got_on = refresh_plan.progressed(self.group, refresh)
                self.group = replace(self.group, refresh=replace(refresh, progressed=got_on))
            steps = plan(self.group, self.now)
            if not steps:
                return
            self.take(steps)
        raise AssertionError(f"steps without end: {steps}")

    def run(self, seconds: float) -> None:
        """Machines follow their instances and join, time passes, and the group acts."""
        follow = {"pending": "running", "shutting-down": "terminated"}
        for member in self.group.members:
            self.change(member.id, instance=follow.get(member.instance, member.instance))
        self.settle()
        for member in self.group.members:
            if member.state is view.State.PENDING_WAIT and member.version in self.joins:
                self.complete(member.id)
        self.settle()
        self.now += seconds
        self.settle()

    def complete(self, name: str, result: str = view.CONTINUE) -> None:
        """Complete what a member waits for."""
        (member,) = (one for one in self.group.members if one.id == name)
        self.change(name, actions=tuple(replace(one, result=result) for one in member.actions))

    def change(self, name: str, **values: object) -> None:
        """Change a member."""
        members = tuple(
            replace(one, **values) if one.id == name else one  # type: ignore[arg-type] # its own fields
            for one in self.group.members
        )
        self.group = replace(self.group, members=members)

    def refresh(self, minimum: int, maximum: int, warmup: float) -> view.Refresh:
        """Begin to replace everything that is there."""
        ids = frozenset(one.id for one in self.group.counted())
        made = view.Refresh(ids, minimum, maximum, warmup, began=self.now, progressed=self.now)
        self.group = replace(self.group, refresh=made, version="2")
        return made

    def take(self, steps: view.Steps) -> None:
        """Take the steps of one plan."""
        for step in steps:
            self._take(step)

    def _take(self, step: view.Step) -> None:
        if isinstance(step, view.Launch):
            self.made += 1
            member = view.Member(
                f"i-{self.made:04}",
                step.zone,
                view.State.PENDING,
                self.now,
                self.now,
                "pending",
                self.group.version,
            )
            self.group = replace(self.group, members=(*self.group.members, member))
        elif isinstance(step, view.EndRefresh):
            self.refreshes.append(step.status)
            self.group = replace(self.group, refresh=None)
        elif isinstance(step, view.Terminate):
            self.change(step.member, state=view.State.TERMINATING, since=self.now, actions=())
        elif isinstance(step, view.Move):
            self.change(step.member, state=step.state, since=self.now, actions=step.actions)
        elif isinstance(step, view.EndInstance):
            self.ended += [one for one in self.group.members if one.id == step.member]
            self.change(step.member, instance="shutting-down")
        else:
            left = tuple(one for one in self.group.members if one.id != step.member)
            self.group = replace(self.group, members=left)


def group(desired: int, zones: str = "abc", hooks: tuple[view.Hook, ...] = ()) -> Simulation:
    """A group of a size, with all its instances in service."""
    simulation = Simulation(view.Group(desired, tuple(zones), version="1", hooks=hooks))
    simulation.settle()
    simulation.run(1)
    return simulation
