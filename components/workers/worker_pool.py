"""WorkerPool: equal machines for applications, replaced by their Auto Scaling group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.naming import REFRESH_PERCENT, ParameterPaths, WorkerGroup, worker_groups
from components.naming import WorkerPool as Pool
from components.nodes.instance_role import InstanceRole, InstanceRoleArgs
from components.nodes.role_policy import worker_policy
from components.nodes.tier_args import TierArgs
from components.tags import named
from components.userdata import encode, worker
from components.workers.launch_template import LaunchTemplateArgs, launch_template
from components.workers.pod_capacity import PodCapacity
from node.contract import (
    CLUSTER_TAG,
    DRAIN_HOOK,
    DRAIN_SECONDS,
    JOIN_HOOK,
    JOIN_SECONDS,
    LONGEST_DRAIN_SECONDS,
    POOL_TAG,
)

WARMUP_SECONDS = 10
"""From a machine's service until a refresh counts it. It has joined by then; this is for Services
to know its first pods. Not 0, which the Terraform provider does not send (group.go, `GetOk`): AWS
would take the grace of health checks instead."""
GRACE_SECONDS = 120
"""From a machine's service until a failed status check counts."""

_DELETION = pulumi.CustomTimeouts(
    delete=f"{(JOIN_SECONDS + LONGEST_DRAIN_SECONDS + DRAIN_SECONDS) // 60}m"
)
"""The longest launch, which a group ends before the machine may go; the longest drain, of pods that
take their own time to end; then machines still have to."""


@dataclass(frozen=True, kw_only=True)
class WorkerPoolArgs(TierArgs):
    """What a WorkerPool is built from, besides what every tier is.

    `subnet_ids` are those of workers.
    """

    pool: Pool
    """Name and zones."""
    api_url: pulumi.Input[str]
    """URL of the load balancer."""
    capacity: PodCapacity
    """Pods that a machine has room for."""
    root_device: str
    """Name of the image's root device."""


class WorkerPool(pulumi.ComponentResource):
    """A pool of workers. Nothing on a machine of it is precious.

    Pulumi sets its limits alone: how many machines there are within them is an autoscaler's to say.
    Another launch template has the group replace its machines, a tenth at a time and each after its
    drain, which `pulumi up` does not wait for. A machine that does not join is none of them: it is
    given up, and the one that it was to replace stays.
    """

    group_names: Sequence[pulumi.Output[str]]
    """Names of its Auto Scaling groups: one, or one for each zone."""

    def __init__(
        self, name: str, args: WorkerPoolArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:WorkerPool", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        cluster, pool = args.settings.cluster_name, args.settings.workers[args.pool.name]
        tags = {**args.tags, CLUSTER_TAG: cluster, POOL_TAG: args.pool.name}
        role = InstanceRole(name, InstanceRoleArgs(policy=_policy(args), tags=args.tags), child)
        template = launch_template(
            name,
            LaunchTemplateArgs(
                image_id=args.image_id,
                root_device=args.root_device,
                disk_gib=pool.disk_gib,
                instance_type=args.settings.instance_type(pool.instance_type),
                instance_profile=role.instance_profile_name,
                security_group_id=args.security_group_id,
                kms_key_arn=args.kms_key_arn,
                user_data=_user_data(args),
                capacity=args.capacity,
                spot=pool.spot,
                tags=tags,
            ),
            child,
        )
        groups = [
            self._group(group, args, template=template, tags=named(tags, name))
            for group in worker_groups(args.settings, args.pool)
        ]
        self.group_names = [group.name for group in groups]
        self.register_outputs({"groupNames": self.group_names})

    def _group(
        self,
        planned: WorkerGroup,
        args: WorkerPoolArgs,
        *,
        template: aws.ec2.LaunchTemplate,
        tags: Mapping[str, str],
    ) -> aws.autoscaling.Group:
        """A group of the pool, which has a machine join before it counts it, and drains one before
        it takes it away."""
        group = aws.autoscaling.Group(
            planned.name,
            # Exactly this, as the role of its machines names it.
            name=planned.name,
            vpc_zone_identifiers=[args.subnet_ids[zone] for zone in planned.zones],
            min_size=planned.fewest,
            max_size=planned.most,
            launch_template=aws.autoscaling.GroupLaunchTemplateArgs(
                # This version rather than the latest one: a change of it starts the replacement.
                id=template.id,
                version=template.latest_version.apply(str),
            ),
            # EC2's own checks. A kubelet that is away may have lost the control plane alone, and
            # then a new machine helps nobody.
            health_check_type="EC2",
            health_check_grace_period=GRACE_SECONDS,
            default_instance_warmup=WARMUP_SECONDS,
            # After a change of its least size the provider waits for exactly as many machines as
            # the state last saw: ten minutes and a failure once an autoscaler has changed that.
            wait_for_capacity_timeout="0",
            # Others begin to start as soon as AWS says that these may go soon.
            capacity_rebalance=args.settings.workers[args.pool.name].spot,
            instance_refresh=aws.autoscaling.GroupInstanceRefreshArgs(
                strategy="Rolling",
                preferences=aws.autoscaling.GroupInstanceRefreshPreferencesArgs(
                    # A successor before each that goes: none is missing while others do not join.
                    min_healthy_percentage=100,
                    max_healthy_percentage=100 + REFRESH_PERCENT,
                    # What an update that was overtaken has already replaced stays.
                    skip_matching=True,
                ),
            ),
            tags=[
                aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
                for key, value in tags.items()
            ],
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=args.depends_on, custom_timeouts=_DELETION
            ),
        )
        # Not among the group's own hooks (initialLifecycleHooks): the provider knows those at its
        # creation only, replaces the group, with all its machines, when one changes, and does not
        # see that one is gone (Terraform provider, issue 42772 and pull request 34260). Machines
        # that start before this exists go into service without it; they replace nobody.
        self._hook(
            planned,
            group,
            JOIN_HOOK,
            transition="LAUNCHING",
            seconds=JOIN_SECONDS,
            # A machine that does not say that it joined has not.
            default="ABANDON",
        )
        self._hook(
            planned,
            group,
            DRAIN_HOOK,
            transition="TERMINATING",
            seconds=DRAIN_SECONDS,
            # A machine that cannot say that it is empty goes all the same.
            default="CONTINUE",
        )
        return group

    def _hook(
        self,
        planned: WorkerGroup,
        group: aws.autoscaling.Group,
        name: str,
        *,
        transition: str,
        seconds: int,
        default: str,
    ) -> None:
        """A lifecycle hook of a group, which lasts as long as the group.

        Deleted before, that of drains would let all machines of a pool go undrained, and that of
        joins give up machines that join, which the group starts again: without it.
        """
        aws.autoscaling.LifecycleHook(
            f"{planned.name}-{name}",
            name=name,
            autoscaling_group_name=group.name,
            lifecycle_transition=f"autoscaling:EC2_INSTANCE_{transition}",
            heartbeat_timeout=seconds,
            default_result=default,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=group),
        )


def _policy(args: WorkerPoolArgs) -> pulumi.Output[str]:
    """Policy of the role that the pool's machines share."""
    cluster = args.settings.cluster_name
    return pulumi.Output.all(args.kms_key_arn, args.bucket_arn).apply(
        lambda arns: worker_policy(
            tuple(args.pool.groups(cluster)),
            ParameterPaths(cluster),
            args.account,
            key_arn=arns[0],
            bucket_arn=arns[1],
        )
    )


def _user_data(args: WorkerPoolArgs) -> pulumi.Output[str]:
    """Encoded user data of the pool's machines."""
    return pulumi.Output.all(args.bucket_name, args.api_url).apply(
        lambda known: encode(
            worker(
                args.settings,
                args.pool,
                region=args.account.region,
                bucket=known[0],
                api_url=known[1],
                max_pods=args.capacity.pods,
            )
        )
    )
