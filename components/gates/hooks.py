"""Gates as Pulumi's resource hooks.

State holds the names of the hooks of every resource, also of one that the program no longer
declares, and the engine looks them up when it deletes it. So the names are fixed, and every run
registers every hook, bound or not, protected or not.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pulumi

from components.gates.aws import Cloud
from components.gates.members import Tier, disk_may_go, may_be_replaced, may_leave
from components.gates.servers import server_may_go, target_may_go
from components.gates.subject import Subject, subject_of
from components.gates.tier import TierWatch
from components.gates.verdict import GateRefusedError, Pass, Refuse, Verdict
from components.gates.waiting import Patience, pass_gate
from components.naming import ParameterPaths

MEMBER, DISK, NEW_DISK = "gate-etcd-member", "gate-etcd-disk", "gate-etcd-new-disk"
TARGET, SERVER = "gate-api-target", "gate-api-server"

Look = Callable[[], Verdict]
"""One look, which may block."""


@dataclass(frozen=True, kw_only=True)
class GatesArgs:
    """What Gates are built from."""

    cluster: str
    """Name of the cluster."""
    members: frozenset[str]
    """The etcd members that the stack wants."""
    api_size: int
    """The API servers that it wants."""
    protect: bool
    """Bind the gates; one that an earlier run bound opens at once when this is false."""
    timeout: timedelta
    """How long a gate waits before it refuses."""
    target_group_arn: pulumi.Output[str]
    """Where API servers are registered."""
    cloud: Cloud
    """Whom they ask."""


class Gates:
    """Every gate of a cluster. A component binds its resources with the properties below, and
    names them to `keeps`."""

    def __init__(self, args: GatesArgs) -> None:
        self._args = args
        self._paths = ParameterPaths(args.cluster)
        self._kept: dict[str, str] = {}
        self._left: set[str] = set()
        # Threads of its own: the event loop's are all taken while registrations wait for the very
        # deletion that a gate holds up. One, because a boto3 session is not for several.
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gates")
        # A preview must already refuse to replace a disk, hence on_dry_run.
        in_preview = pulumi.ResourceHookOptions(on_dry_run=True)
        self._hooks = {
            MEMBER: pulumi.ResourceHook(MEMBER, self._gate(self._member)),
            DISK: pulumi.ResourceHook(DISK, self._gate(self._disk)),
            NEW_DISK: pulumi.ResourceHook(NEW_DISK, self._gate(self._new_disk), in_preview),
            TARGET: pulumi.ResourceHook(TARGET, self._gate(self._target)),
            SERVER: pulumi.ResourceHook(SERVER, self._gate(self._server)),
        }

    @property
    def member(self) -> pulumi.ResourceHookBinding | None:
        """For what an etcd member cannot run without: its machine, and the disk in it.

        Both, because the attachment goes first and stops the machine.
        """
        return self._binding(before_delete=MEMBER)

    @property
    def disk(self) -> pulumi.ResourceHookBinding | None:
        """For a data volume."""
        return self._binding(before_delete=DISK, before_create=NEW_DISK)

    @property
    def target(self) -> pulumi.ResourceHookBinding | None:
        """For an API server's registration with the balancer."""
        return self._binding(before_delete=TARGET)

    @property
    def server(self) -> pulumi.ResourceHookBinding | None:
        """For an API server's machine."""
        return self._binding(before_delete=SERVER)

    def keeps(self, *resources: pulumi.CustomResource) -> None:
        """These are declared, so once they are registered only `destroy` can delete them."""
        for resource in resources:
            known = pulumi.Output.all(resource.urn, resource.id)
            known.apply(lambda ids: self._kept.update({ids[0]: ids[1]}))

    def _binding(
        self, *, before_delete: str, before_create: str | None = None
    ) -> pulumi.ResourceHookBinding | None:
        if not self._args.protect:
            return None
        return pulumi.ResourceHookBinding(
            before_delete=[self._hooks[before_delete]],
            before_create=[self._hooks[before_create]] if before_create else None,
        )

    def _gate(
        self, rule: Callable[[pulumi.ResourceHookArgs, Subject], Awaitable[Look]]
    ) -> Callable[[pulumi.ResourceHookArgs], Awaitable[None]]:
        async def gate(args: pulumi.ResourceHookArgs) -> None:
            if not self._args.protect:
                pulumi.log.info(f"gate: {args.name} goes: protect is false")
                return
            subject = self._subject(args)
            look, loop = await rule(args, subject), asyncio.get_running_loop()
            await pass_gate(
                str(subject),
                lambda: loop.run_in_executor(self._threads, look),
                Patience(timeout=self._args.timeout, say=pulumi.log.info),
            )

        return gate

    def _subject(self, args: pulumi.ResourceHookArgs) -> Subject:
        """The node that a resource belongs to. Raises GateRefusedError when it must stay anyway."""
        subject = subject_of(args.name)
        if subject is None:
            raise GateRefusedError(f"gate: {args.name} stays: it is the resource of no known node")
        if subject.cluster != self._args.cluster:
            raise GateRefusedError(
                f"gate: {subject} stays: clusterName is now {self._args.cluster!r}, which is "
                "another cluster in the place of this one: set it back; to give this one up, see "
                "docs/runbooks/destroy.md"
            )
        if args.id and self._kept.get(args.urn) == args.id:
            raise GateRefusedError(
                f"gate: {subject} stays: this stack is protected, and this would destroy it: see "
                "docs/runbooks/destroy.md for how to mean it"
            )
        return subject

    async def _member(self, args: pulumi.ResourceHookArgs, subject: Subject) -> Look:
        member, watch = subject.node, self._watch()
        if member not in self._args.members:
            return lambda: self._departure(watch, member, may_leave)
        # The attachment names its machine, and the machine is its own.
        instance_id = _text(args.old_inputs, "instanceId") or args.id

        def look() -> Verdict:
            running = self._args.cloud.runs(instance_id)
            return may_be_replaced(self._look(watch), member, running=running)

        return look

    async def _disk(self, _args: pulumi.ResourceHookArgs, subject: Subject) -> Look:
        watch = self._watch()
        return lambda: self._departure(watch, subject.node, disk_may_go)

    def _departure(
        self, watch: TierWatch, member: str, rule: Callable[[Tier, str], Verdict]
    ) -> Verdict:
        # Who has left cannot come back within this update, and its machine, once it is gone, can
        # not say so a second time for its own machine and disk.
        if member in self._left:
            return Pass("it has left the cluster")
        verdict = rule(self._look(watch), member)
        if isinstance(verdict, Pass):
            self._left.add(member)
        return verdict

    async def _new_disk(self, args: pulumi.ResourceHookArgs, subject: Subject) -> Look:
        def look() -> Verdict:
            cloud = self._args.cloud
            attached = cloud.attached_volumes(name=args.name, cluster=subject.cluster)
            if not attached:
                return Pass("it has no disk yet")
            return Refuse(
                f"it has its disk, {', '.join(attached)}, and this would replace it by an empty "
                "one: undo what changes the volume's zone, key or encryption"
            )

        return look

    async def _target(self, args: pulumi.ResourceHookArgs, _subject: Subject) -> Look:
        group, size = await self._group(), self._args.api_size
        address = _text(args.old_inputs, "targetId")
        return lambda: target_may_go(self._args.cloud.targets(group), address, size=size)

    async def _server(self, args: pulumi.ResourceHookArgs, _subject: Subject) -> Look:
        group, size = await self._group(), self._args.api_size
        address = _text(args.old_outputs, "privateIp")
        return lambda: server_may_go(self._args.cloud.targets(group), address, size=size)

    async def _group(self) -> str:
        """The group that serves now: after a replacement of the group itself, the new one."""
        arn = await self._args.target_group_arn.future()
        if not arn:
            raise GateRefusedError("gate: the balancer's target group is unknown: run pulumi up")
        return arn

    def _watch(self) -> TierWatch:
        return TierWatch(self._paths, self._args.members)

    def _look(self, watch: TierWatch) -> Tier:
        return watch.look(self._args.cloud.parameters(watch.parameters), time.monotonic())


def _text(properties: Mapping[str, Any] | None, key: str) -> str:
    """A plain text among a resource's properties; empty when it is none. Secrets are Outputs."""
    value = (properties or {}).get(key)
    return value if isinstance(value, str) else ""
