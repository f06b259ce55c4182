"""Check of each gate, from AWS to a verdict. Blocks; knows nothing of Pulumi."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from components.gates.aws_reader import AwsReader
from components.gates.member_rules import Tier, disk_may_go, may_be_replaced, may_leave
from components.gates.server_rules import server_may_go, target_may_go
from components.gates.tier_state import TierWatch
from components.gates.verdict import Pass, Refuse, Verdict, Wait
from components.naming import ParameterPaths

Check = Callable[[], Verdict]
"""One check. Raises AwsUnavailableError and AwsAccessDeniedError."""


@dataclass(frozen=True, kw_only=True)
class Checks:
    """The checks of every gate of a cluster; each call begins a new watch.

    The engine may ask several gates at once. Each was let go on what the others then were, so what
    one of them was let go for is taken out of what the next one counts. Checks are therefore taken
    one at a time.
    """

    cluster: str
    """Name of the cluster."""
    members: frozenset[str]
    """The etcd members that the stack wants."""
    api_size: int
    """The API servers that it wants."""
    cloud: AwsReader
    """Whom they ask."""
    _left: set[str] = field(default_factory=set)
    _away: set[str] = field(default_factory=set)
    _deregistered: set[str] = field(default_factory=set)

    def member(self, node: str, instance_id: str) -> Check:
        """Whether the instance of a member may go, or lose its disk."""
        watch = self._watch()
        if node not in self.members:
            return lambda: self._departure(watch, node, may_leave)

        def check() -> Verdict:
            if others := self._away - {node}:
                watch.forget()  # what is away now must report again once it is back
                return Wait((f"{', '.join(sorted(others))} is being replaced",))
            running = self.cloud.runs(instance_id)
            verdict = may_be_replaced(self._tier(watch), node, running=running)
            if isinstance(verdict, Pass):
                self._away.add(node)
            return verdict

        return check

    def is_back(self, node: str) -> None:
        """Say that a member has its successor, and the successor its disk."""
        self._away.discard(node)

    def disk(self, node: str) -> Check:
        """Whether a member's data volume may go."""
        watch = self._watch()
        return lambda: self._departure(watch, node, disk_may_go)

    def new_disk(self, name: str) -> Check:
        """Whether a member may get the data volume `name`: if it has none."""

        def check() -> Verdict:
            attached = self.cloud.attached_volumes(name=name, cluster=self.cluster)
            if not attached:
                return Pass("it has no disk yet")
            return Refuse(
                f"it has its disk, {', '.join(attached)}, and this would replace it by an empty "
                "one: undo what changes the volume's zone, key or encryption"
            )

        return check

    def target(self, group_arn: str, address: str) -> Check:
        """Whether the load balancer may lose a target."""

        def check() -> Verdict:
            verdict = target_may_go(self._targets(group_arn, address), address, size=self.api_size)
            if isinstance(verdict, Pass):
                self._deregistered.add(address)
            return verdict

        return check

    def server(self, group_arn: str, address: str) -> Check:
        """Whether an API server's instance may go."""
        return lambda: server_may_go(self._targets(group_arn, address), address, size=self.api_size)

    def _targets(self, group_arn: str, address: str) -> dict[str, str]:
        found = self.cloud.targets(group_arn)
        return {
            target: state
            for target, state in found.items()
            if target == address or target not in self._deregistered
        }

    def _departure(
        self, watch: TierWatch, node: str, rule: Callable[[Tier, str], Verdict]
    ) -> Verdict:
        # Who has left cannot come back within this update, and its instance, once its disk is off,
        # can not say so again for instance and disk.
        if node in self._left:
            return Pass("it has left the cluster")
        verdict = rule(self._tier(watch), node)
        if isinstance(verdict, Pass):
            self._left.add(node)
        return verdict

    def _watch(self) -> TierWatch:
        return TierWatch(ParameterPaths(self.cluster), self.members)

    def _tier(self, watch: TierWatch) -> Tier:
        return watch.look(self.cloud.parameters(watch.parameters), time.monotonic())
