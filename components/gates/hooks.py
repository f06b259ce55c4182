"""Resource hooks of Pulumi that run the gates.

State holds the names of the hooks of every resource, also of one that the program no longer
declares, and the engine looks them up when it deletes it. So the names are fixed, and every run
registers every hook once, bound or not, protected or not. A hook asks the gates of the cluster that
the resource belongs to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pulumi

from components.gates.checks import Check, Checks
from components.gates.node_ref import NodeRef, node_ref_of
from components.gates.verdict import GateRefusedError
from components.gates.waiting import WaitPolicy, pass_gate
from components.program_scope import once_per_program

MEMBER, DISK, NEW_DISK = "gate-etcd-member", "gate-etcd-disk", "gate-etcd-new-disk"
TARGET, SERVER = "gate-api-target", "gate-api-server"


Rule = Callable[[pulumi.ResourceHookArgs, NodeRef], Awaitable[Check]]
"""What finds the check of a resource that is to be deleted or created."""


@dataclass(frozen=True, kw_only=True)
class GatesArgs:
    """What Gates are built from."""

    checks: Checks
    protect: bool
    """Bind the gates; one that an earlier run bound opens at once when this is false."""
    timeout: timedelta
    """How long a gate waits before it refuses."""
    target_group_arn: pulumi.Output[str]
    """Where API servers are registered."""


class Gates:
    """Every gate of a cluster. A component binds its resources with the properties below, and
    names them to `declare_current`. Raises ValueError when the program has gates of this cluster
    already: two clusters of one name would share parameters and hooks."""

    def __init__(self, args: GatesArgs) -> None:
        self._args, self._checks = args, args.checks
        self._current: dict[str, str] = {}
        # Threads of its own: the event loop's are all taken while registrations wait for the very
        # deletion that a gate holds up. One, because a boto3 session is not for several.
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gates")
        self._hooks = once_per_program(GateHooks, GateHooks)
        self._hooks.add(self)

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        return self._checks.cluster

    @property
    def protect(self) -> bool:
        """Whether the gates hold anything back."""
        return self._args.protect

    @property
    def member(self) -> pulumi.ResourceHookBinding | None:
        """For what an etcd member cannot run without: its instance, and the disk in it.

        Both, because the attachment goes first and stops the instance.
        """
        return self._binding(before_delete=MEMBER)

    @property
    def disk(self) -> pulumi.ResourceHookBinding | None:
        """For a data volume."""
        return self._binding(before_delete=DISK, before_create=NEW_DISK)

    @property
    def target(self) -> pulumi.ResourceHookBinding | None:
        """For an API server's registration with the load balancer."""
        return self._binding(before_delete=TARGET)

    @property
    def server(self) -> pulumi.ResourceHookBinding | None:
        """For an API server's instance."""
        return self._binding(before_delete=SERVER)

    def declare_current(self, *resources: pulumi.CustomResource) -> None:
        """These are declared, so once they are registered only `destroy` can delete them."""
        for resource in resources:
            pulumi.Output.all(resource.urn, resource.id).apply(
                lambda known: self._declare_current(*known)
            )

    def _declare_current(self, urn: str, identifier: str) -> None:
        self._current[urn] = identifier
        node = node_ref_of(urn.rpartition("::")[2])
        if node and "aws:ec2/volumeAttachment:VolumeAttachment::" in urn:
            self._checks.is_back(node.name)

    def _binding(
        self, *, before_delete: str, before_create: str | None = None
    ) -> pulumi.ResourceHookBinding | None:
        if not self.protect:
            return None
        return pulumi.ResourceHookBinding(
            before_delete=[self._hooks.by_name[before_delete]],
            before_create=[self._hooks.by_name[before_create]] if before_create else None,
        )

    async def run(self, hook: str, args: pulumi.ResourceHookArgs, node: NodeRef) -> None:
        """Wait until the rule of a hook lets a resource of a node go.

        Raises GateRefusedError when it must stay.
        """
        if args.id and self._current.get(args.urn) == args.id:
            raise GateRefusedError(
                f"gate: {node} stays: this stack is protected, and this would destroy it: see "
                "docs/runbooks/destroy.md for how to mean it"
            )
        # What a new disk's rule finds is as good in a preview; the others depend on what the
        # update does until then, and previews do not ask them.
        if pulumi.runtime.is_dry_run() and hook != NEW_DISK:
            return
        rules: Mapping[str, Rule] = {
            MEMBER: self._member,
            DISK: self._disk,
            NEW_DISK: self._new_disk,
            TARGET: self._target,
            SERVER: self._server,
        }
        check, loop = await rules[hook](args, node), asyncio.get_running_loop()
        await pass_gate(
            str(node),
            lambda: loop.run_in_executor(self._threads, check),
            WaitPolicy(timeout=self._args.timeout, log=pulumi.log.info),
        )

    async def _member(self, args: pulumi.ResourceHookArgs, node: NodeRef) -> Check:
        # The attachment names its instance, and the instance is its own.
        instance_id = _text(args.old_inputs, "instanceId") or args.id
        return self._checks.member(node.name, instance_id)

    async def _disk(self, _args: pulumi.ResourceHookArgs, node: NodeRef) -> Check:
        return self._checks.disk(node.name)

    async def _new_disk(self, args: pulumi.ResourceHookArgs, _node: NodeRef) -> Check:
        return self._checks.new_disk(args.name)

    async def _target(self, args: pulumi.ResourceHookArgs, _node: NodeRef) -> Check:
        return self._checks.target(await self._group(), _text(args.old_inputs, "targetId"))

    async def _server(self, args: pulumi.ResourceHookArgs, _node: NodeRef) -> Check:
        return self._checks.server(await self._group(), _text(args.old_outputs, "privateIp"))

    async def _group(self) -> str:
        """The group that serves now: after a replacement of the group itself, the new one."""
        arn = await self._args.target_group_arn.future()
        if not arn:
            raise GateRefusedError("gate: the balancer's target group is unknown: run pulumi up")
        return arn


class GateHooks:
    """The hooks of a program, and the clusters whose gates they ask."""

    def __init__(self) -> None:
        self._clusters: dict[str, Gates] = {}
        # A preview must already refuse what no waiting would let pass, hence on_dry_run.
        in_preview = pulumi.ResourceHookOptions(on_dry_run=True)
        self.by_name = {
            name: pulumi.ResourceHook(name, self._hook(name), in_preview)
            for name in (MEMBER, DISK, NEW_DISK, TARGET, SERVER)
        }

    def add(self, gates: Gates) -> None:
        """Have the hooks ask a cluster's gates about its resources.

        ValueError when the program has gates of this cluster already.
        """
        if gates.cluster in self._clusters:
            raise ValueError(f"clusterName: must be another one, got {gates.cluster!r} twice")
        self._clusters[gates.cluster] = gates

    def _hook(self, name: str) -> Callable[[pulumi.ResourceHookArgs], Awaitable[None]]:
        async def hook(args: pulumi.ResourceHookArgs) -> None:
            node = node_ref_of(args.name)
            gates = self._clusters.get(node.cluster) if node else None
            if not (gates.protect if gates else self._protect):
                pulumi.log.info(f"gate: {args.name} goes: protect is false")
                return
            if node is None:
                raise GateRefusedError(
                    f"gate: {args.name} stays: it is the resource of no known node"
                )
            if gates is None:
                declared = " and ".join(repr(name) for name in self._clusters)
                raise GateRefusedError(
                    f"gate: {node} stays: clusterName is now {declared}, which is another cluster "
                    "in the place of this one: set it back; to give this one up, see "
                    "docs/runbooks/destroy.md"
                )
            await gates.run(name, args, node)

        return hook

    @property
    def _protect(self) -> bool:
        """Whether what belongs to no cluster of this program is held back."""
        return any(gates.protect for gates in self._clusters.values())


def _text(properties: Mapping[str, Any] | None, key: str) -> str:
    """A plain text among a resource's properties; empty when it is none. Secrets are Outputs."""
    value = (properties or {}).get(key)
    return value if isinstance(value, str) else ""
