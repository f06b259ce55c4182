"""IAM policy of a node's role: its own secrets, its own status, its own objects. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.iam.policy_document import Statement, allow, document
from components.naming import AGENT_PREFIX, ParameterPaths
from node.contract import CLUSTER_TAG, SNAPSHOT_PREFIX, metric_namespace


@dataclass(frozen=True)
class Account:
    """Where resource names live: the partition, the region and the account number."""

    partition: str
    region: str
    account_id: str

    def parameter(self, path: str) -> str:
        """ARN of a parameter, or of every parameter below a path that ends in `*`."""
        return f"arn:{self.partition}:ssm:{self.region}:{self.account_id}:parameter{path}"

    def scaling_group(self, name: str) -> str:
        """ARN of an Auto Scaling group; AWS puts an id of its own before the name."""
        return (
            f"arn:{self.partition}:autoscaling:{self.region}:{self.account_id}:"
            f"autoScalingGroup:*:autoScalingGroupName/{name}"
        )

    def service_role(self, service: str, name: str) -> str:
        """ARN of the role that an AWS service has in this account."""
        return f"arn:{self.partition}:iam::{self.account_id}:role/aws-service-role/{service}/{name}"


def trust_policy() -> str:
    """Who may take a node's role: EC2, for the instance that has its profile."""
    return _text(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]
    )


def etcd_node_policy(
    node: str, paths: ParameterPaths, account: Account, *, key_arn: str, bucket_arn: str
) -> str:
    """The policy of an etcd member: what every node may, the marker and snapshots.

    It reads what every member reports and every member's snapshots, because membership changes look
    at the others and any member may restore; it writes its own of both.
    """
    snapshots = f"{bucket_arn}/{SNAPSHOT_PREFIX}"
    return _text(
        [
            *_every_node(node, paths, account, key_arn, bucket_arn),
            allow("Form", ["ssm:PutParameter"], [account.parameter(paths.formation)]),
            allow("Peers", ["ssm:GetParameters"], [account.parameter(paths.status("etcd-*"))]),
            # Where an old value stands in a document's place, what was said last (node.owned).
            allow(
                "History",
                ["ssm:GetParameterHistory"],
                [account.parameter(path) for path in (paths.formation, paths.status("etcd-*"))],
            ),
            allow(
                "Snapshot",
                # A part that was sent in vain is paid for until the upload is aborted.
                ["s3:PutObject", "s3:AbortMultipartUpload"],
                [f"{snapshots}{node}/*"],
            ),
            # Of all members', because any may lead. Not s3:DeleteObjectVersion: what a role deletes
            # can be brought back (docs/adr/0014).
            allow("ThinOut", ["s3:DeleteObject"], [f"{snapshots}etcd-*/*"]),
            allow("Restore", ["s3:GetObject"], [f"{snapshots}*"]),
            allow(
                "ListSnapshots",
                ["s3:ListBucket"],
                [bucket_arn],
                condition={"StringLike": {"s3:prefix": f"{SNAPSHOT_PREFIX}*"}},
            ),
            allow("EncryptSnapshots", ["kms:GenerateDataKey"], [key_arn], _through_s3(account)),
        ]
    )


def api_node_policy(
    node: str,
    paths: ParameterPaths,
    account: Account,
    *,
    key_arn: str,
    bucket_arn: str,
    workers: bool = False,
) -> str:
    """The policy of an API server VM: what every node may, and what admits workers where there are
    some."""
    admission = _cluster_agent(paths, account, key_arn) if workers else []
    return _text([*_every_node(node, paths, account, key_arn, bucket_arn), *admission])


def _cluster_agent(paths: ParameterPaths, account: Account, key_arn: str) -> list[Statement]:
    """What the cluster agent needs besides: the join token, which it makes, what it is to apply to
    Kubernetes, the instances that kubelets say they are on, and the end of drains that nobody is
    left to do."""
    token = account.parameter(paths.join_token)
    return [
        allow("JoinToken", ["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"], [token]),
        allow(
            "EncryptJoinToken",
            ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
            [key_arn],
            condition=_only(token),
        ),
        allow(
            "Addons",
            ["ssm:GetParameter", "ssm:GetParameters"],
            [account.parameter(paths.cluster_addons)],
        ),
        # It has no resource level permissions (service authorization reference, EC2).
        allow("Instances", ["ec2:DescribeInstances"], ["*"]),
        # Nor have these (the same, EC2 Auto Scaling).
        allow(
            "Groups",
            ["autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances"],
            ["*"],
        ),
        allow(
            "EndDrain",
            ["autoscaling:CompleteLifecycleAction"],
            [account.scaling_group(f"{paths.cluster}-workers-*")],
            # The pattern fits groups of a cluster whose name begins like a pool of this one, too.
            condition={"StringEquals": {f"aws:ResourceTag/{CLUSTER_TAG}": paths.cluster}},
        ),
    ]


def worker_policy(
    groups: Sequence[str],
    paths: ParameterPaths,
    account: Account,
    *,
    key_arn: str,
    bucket_arn: str,
) -> str:
    """The policy of the workers of a pool, which share a role: what they join with, the agent, and
    the ends of a launch and of a drain. Nothing of the control plane, and nothing to write to.

    `groups` are the names of the pool's Auto Scaling groups. A worker may end the launch or the
    drain of another one of its pool: IAM knows groups, and no instance in them, and no hook.
    """
    token = account.parameter(paths.join_token)
    readable = [token, account.parameter(paths.worker_ca), account.parameter(paths.operations)]
    return _text(
        [
            allow("Join", ["ssm:GetParameter", "ssm:GetParameters"], readable),
            allow("DecryptJoinToken", ["kms:Decrypt"], [key_arn], condition=_only(token)),
            *_agent(account, key_arn, bucket_arn),
            allow(
                "Hooks",
                [
                    "autoscaling:CompleteLifecycleAction",
                    "autoscaling:RecordLifecycleActionHeartbeat",
                ],
                [account.scaling_group(group) for group in groups],
            ),
        ]
    )


def _every_node(
    node: str, paths: ParameterPaths, account: Account, key_arn: str, bucket_arn: str
) -> list[Statement]:
    files = account.parameter(paths.secrets(node))
    membership = [
        account.parameter(path)
        for path in (paths.desired_members, paths.formation, paths.operations)
    ]
    return [
        # GetParametersByPath is authorised on the path it is asked for, not on what it returns.
        allow("Files", ["ssm:GetParametersByPath"], [files, f"{files}/*"]),
        allow("Membership", ["ssm:GetParameter", "ssm:GetParameters"], membership),
        # Read, too: a document says which version it is written as.
        allow(
            "Report",
            ["ssm:GetParameters", "ssm:PutParameter"],
            [account.parameter(paths.status(node))],
        ),
        allow(
            "DecryptFiles",
            ["kms:Decrypt"],
            [key_arn],
            # Parameter Store names the parameter in the encryption context, so the key opens
            # this node's files only, whatever else the role could fetch.
            condition={"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": f"{files}/*"}},
        ),
        *_agent(account, key_arn, bucket_arn),
        allow(
            "Metrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            condition={"StringEquals": {"cloudwatch:namespace": metric_namespace(paths.cluster)}},
        ),
    ]


def _agent(account: Account, key_arn: str, bucket_arn: str) -> list[Statement]:
    """The node agent, which lies in the cluster's bucket."""
    return [
        allow("Agent", ["s3:GetObject"], [f"{bucket_arn}/{AGENT_PREFIX}*"]),
        allow("DecryptObjects", ["kms:Decrypt"], [key_arn], _through_s3(account)),
    ]


def _only(parameter: str) -> Mapping[str, Any]:
    """Only for a parameter of this ARN, which Parameter Store has in the encryption context."""
    return {"StringEquals": {"kms:EncryptionContext:PARAMETER_ARN": parameter}}


def _text(statements: Sequence[Statement]) -> str:
    return json.dumps(document(statements))


def _through_s3(account: Account) -> Mapping[str, Any]:
    """Only for objects that the role may read or write: S3 asks for the key in its name."""
    return {"StringEquals": {"kms:ViaService": f"s3.{account.region}.amazonaws.com"}}
