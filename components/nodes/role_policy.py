"""IAM policy of a node's role: its own secrets, its own status, its own objects. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.naming import AGENT_PREFIX, ParameterPaths
from node.contract import SNAPSHOT_PREFIX, metric_namespace


@dataclass(frozen=True)
class Account:
    """Where resource names live: the partition, the region and the account number."""

    partition: str
    region: str
    account_id: str

    def parameter(self, path: str) -> str:
        """ARN of a parameter, or of every parameter below a path that ends in `*`."""
        return f"arn:{self.partition}:ssm:{self.region}:{self.account_id}:parameter{path}"


def trust_policy() -> str:
    """Who may take a node's role: EC2, for the instance that has its profile."""
    return _document(
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
    return _document(
        [
            *_every_node(node, paths, account, key_arn, bucket_arn),
            _allow("Form", ["ssm:PutParameter"], [account.parameter(paths.formation)]),
            _allow("Peers", ["ssm:GetParameters"], [account.parameter(paths.status("etcd-*"))]),
            # Where an old value stands in a document's place, what was said last (node.owned).
            _allow(
                "History",
                ["ssm:GetParameterHistory"],
                [account.parameter(path) for path in (paths.formation, paths.status("etcd-*"))],
            ),
            _allow(
                "Snapshot",
                # A part that was sent in vain is paid for until the upload is aborted.
                ["s3:PutObject", "s3:AbortMultipartUpload"],
                [f"{snapshots}{node}/*"],
            ),
            # Of all members', because any may lead. Not s3:DeleteObjectVersion: what a role deletes
            # can be brought back (docs/adr/0014).
            _allow("ThinOut", ["s3:DeleteObject"], [f"{snapshots}etcd-*/*"]),
            _allow("Restore", ["s3:GetObject"], [f"{snapshots}*"]),
            {
                **_allow("ListSnapshots", ["s3:ListBucket"], [bucket_arn]),
                "Condition": {"StringLike": {"s3:prefix": f"{SNAPSHOT_PREFIX}*"}},
            },
            _through_s3(account, _allow("EncryptSnapshots", ["kms:GenerateDataKey"], [key_arn])),
        ]
    )


def api_node_policy(
    node: str, paths: ParameterPaths, account: Account, *, key_arn: str, bucket_arn: str
) -> str:
    """The policy of an API server VM: what every node may, and no more."""
    return _document(_every_node(node, paths, account, key_arn, bucket_arn))


def _every_node(
    node: str, paths: ParameterPaths, account: Account, key_arn: str, bucket_arn: str
) -> list[dict[str, Any]]:
    files = account.parameter(paths.secrets(node))
    membership = [
        account.parameter(path)
        for path in (paths.desired_members, paths.formation, paths.operations)
    ]
    return [
        # GetParametersByPath is authorised on the path it is asked for, not on what it returns.
        _allow("Files", ["ssm:GetParametersByPath"], [files, f"{files}/*"]),
        _allow("Membership", ["ssm:GetParameter", "ssm:GetParameters"], membership),
        # Read, too: a document says which version it is written as.
        _allow(
            "Report",
            ["ssm:GetParameters", "ssm:PutParameter"],
            [account.parameter(paths.status(node))],
        ),
        {
            **_allow("DecryptFiles", ["kms:Decrypt"], [key_arn]),
            # Parameter Store names the parameter in the encryption context, so the key opens
            # this node's files only, whatever else the role could fetch.
            "Condition": {"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": f"{files}/*"}},
        },
        _allow("Agent", ["s3:GetObject"], [f"{bucket_arn}/{AGENT_PREFIX}*"]),
        _through_s3(account, _allow("DecryptObjects", ["kms:Decrypt"], [key_arn])),
        {
            **_allow("Metrics", ["cloudwatch:PutMetricData"], ["*"]),
            "Condition": {
                "StringEquals": {"cloudwatch:namespace": metric_namespace(paths.cluster)}
            },
        },
    ]


def _through_s3(account: Account, statement: dict[str, Any]) -> dict[str, Any]:
    """Only for objects that the role may read or write: S3 asks for the key in its name."""
    service = f"s3.{account.region}.amazonaws.com"
    return {**statement, "Condition": {"StringEquals": {"kms:ViaService": service}}}


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
