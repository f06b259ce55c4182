"""FlowLogs: the connections of a VPC, recorded in CloudWatch Logs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.nodes.role_policy import Account
from components.tags import named


def flow_logs_trust_policy(account_id: str) -> str:
    """Trust policy of the role: the flow log service, on behalf of this account."""
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
        }
    )


def flow_logs_policy(log_group_arn: str) -> str:
    """Policy of the role: writing to one log group (VPC user guide, "IAM role for publishing flow
    logs"), without the right to make it anew once it is deleted."""
    return _document(
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": [log_group_arn, f"{log_group_arn}:*"],
        },
        {"Effect": "Allow", "Action": ["logs:DescribeLogGroups"], "Resource": ["*"]},
    )


def _document(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """What FlowLogs are built from."""

    vpc_id: pulumi.Input[str]
    """The VPC."""
    account: Account
    """Account that owns it."""
    keep_days: int
    """Days that records are kept."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class FlowLogs(pulumi.ComponentResource):
    """A log group with the accepted and refused connections of a VPC, aggregated over ten
    minutes."""

    def __init__(
        self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:FlowLogs", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = named(args.tags, name)
        log_group = aws.cloudwatch.LogGroup(
            name, retention_in_days=args.keep_days, tags=tags, opts=child
        )
        role = aws.iam.Role(
            name,
            assume_role_policy=flow_logs_trust_policy(args.account.account_id),
            tags=tags,
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            name, role=role.name, policy=log_group.arn.apply(flow_logs_policy), opts=child
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination=log_group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=600,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})
