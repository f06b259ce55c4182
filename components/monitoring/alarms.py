"""Alarms of AWS's own metrics, and the topic that notifies people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.monitoring.node_alarms import Missing, node_alarms
from components.monitoring.worker_alarms import worker_alarms
from components.tags import named
from node.contract import metric_namespace

MINUTE = 60
RUNBOOK = "docs/runbooks/alarms.md"
"""It has a section for each alarm, named as the alarm without the cluster's name."""


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """What Alarms are built from."""

    cluster: str
    """Name of the cluster: the dimension of what nodes report."""
    instance_ids: Mapping[str, pulumi.Input[str]]
    """Instance id by node name."""
    load_balancer: pulumi.Input[str]
    """The load balancer as CloudWatch names it."""
    target_group: pulumi.Input[str]
    """The target group as CloudWatch names it."""
    api_servers: int
    """How many API servers must be healthy behind the load balancer."""
    key_arn: pulumi.Input[str]
    """KMS key that encrypts the topic; its policy must let CloudWatch use it."""
    after: Sequence[pulumi.Resource]
    """The instances. An alarm that silence raises would else fire before they can have spoken, and
    when a stack is destroyed it would outlive them."""
    snapshot_minutes: int
    """Minutes between snapshots."""
    workers: bool = False
    """Whether there are pools. Without them nobody sends what their alarms watch."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class Alarms(pulumi.ComponentResource):
    """CloudWatch alarms, and an SNS topic to subscribe to."""

    topic_arn: pulumi.Output[str]
    """ARN of the topic."""

    def __init__(
        self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:Alarms", name, {}, opts)
        self._args = args
        topic_name = f"{name}-alarms"
        topic = aws.sns.Topic(
            topic_name,
            kms_master_key_id=args.key_arn,
            tags=named(args.tags, topic_name),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.topic_arn = topic.arn
        self._alarm(
            "unhealthy-targets",
            "An API server behind the balancer has failed its health check for two minutes: look "
            "at that machine's kube-apiserver",
            namespace="AWS/NetworkELB",
            metric="UnHealthyHostCount",
            dimensions={"LoadBalancer": args.load_balancer, "TargetGroup": args.target_group},
            statistic="Maximum",
            above=0,
            minutes=2,
            # That one is not there at all says `missing-targets`.
            missing="notBreaching",
        )
        self._alarm(
            "missing-targets",
            f"Fewer than {args.api_servers} API servers have been healthy behind the balancer for "
            "five minutes: start the machine that is stopped, or run pulumi up",
            namespace="AWS/NetworkELB",
            metric="HealthyHostCount",
            dimensions={"LoadBalancer": args.load_balancer, "TargetGroup": args.target_group},
            # Each zone's node of the load balancer counts for itself; across zones all see the
            # same.
            statistic="Minimum",
            below=args.api_servers,
            minutes=5,
            missing="breaching",
            after=args.after,
        )
        for node, instance_id in args.instance_ids.items():
            self._alarm(
                f"{node}-status",
                f"EC2's status checks of {node} have failed for five minutes, or it is stopped: "
                "start it, its address and its disk stay",
                namespace="AWS/EC2",
                metric="StatusCheckFailed",
                dimensions={"InstanceId": instance_id},
                statistic="Maximum",
                above=0,
                minutes=5,
                # A stopped instance sends no data (EC2 user guide, "Status checks").
                missing="breaching",
            )
        of_workers = worker_alarms() if args.workers else ()
        for alarm in (*node_alarms(args.snapshot_minutes), *of_workers):
            self._alarm(
                alarm.suffix,
                alarm.description,
                namespace=metric_namespace(args.cluster),
                metric=alarm.metric,
                dimensions={"Cluster": args.cluster},
                statistic=alarm.statistic,
                above=alarm.above,
                below=alarm.below,
                minutes=alarm.minutes,
                missing=alarm.missing,
                after=args.after if alarm.missing == "breaching" else (),
            )
        self.register_outputs({"topicArn": self.topic_arn})

    def _alarm(
        self,
        suffix: str,
        description: str,
        *,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, pulumi.Input[str]],
        statistic: str,
        minutes: int,
        missing: Missing,
        above: int | None = None,
        below: int | None = None,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        alarm_name = f"{self.pulumi_resource_name}-{suffix}"
        aws.cloudwatch.MetricAlarm(
            alarm_name,
            alarm_description=f"{description}. Runbook: {RUNBOOK}, {suffix}",
            namespace=namespace,
            metric_name=metric,
            dimensions=dict(dimensions),
            statistic=statistic,
            comparison_operator="LessThanThreshold" if above is None else "GreaterThanThreshold",
            threshold=below if above is None else above,
            period=MINUTE,
            evaluation_periods=minutes,
            treat_missing_data=missing,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            # A new alarm is in this state already, and so tells nothing.
            insufficient_data_actions=[self.topic_arn] if missing == "missing" else None,
            tags=named(self._args.tags, alarm_name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
