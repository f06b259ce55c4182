"""IAM policies of whoever runs Pulumi, as documents. Pure.

`python -m components.iam.operator_policies` writes them to docs/iam, for a cluster named CLUSTER.
The actions are those that the provider and the gates were seen to ask for; lab/tests/engine/program
runs everything that a stack can have on the engine and compares. What real AWS asks for besides,
because one action needs another one, is in `IMPLIED`; what newer providers ask for, in `NEWER`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from components.iam.operator_data_policy import operator_data_policy
from components.iam.operator_network_policy import operator_network_policy
from components.iam.policy_document import Document, allow, document

DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "iam"
CLUSTER = "CLUSTER"
"""Stands for the cluster's name in the files; no name has capital letters."""

MANAGED_POLICY_LIMIT = 6144
"""Characters of a managed policy, without white space (IAM user guide, "IAM and STS quotas")."""

IMPLIED: Mapping[str, str] = {
    "autoscaling:CancelInstanceRefresh": "a pool that changes again while it is rolled",
    "autoscaling:DeleteLifecycleHook": "a pool whose hook is replaced",
    "autoscaling:DeleteTags": "a tag that is taken away",
    "autoscaling:SetDesiredCapacity": "a pool that a person resizes (docs/runbooks/add-a-pool.md)",
    "autoscaling:TerminateInstanceInAutoScalingGroup": "one worker (docs/runbooks/roll-a-pool.md)",
    "ec2:CreateNetworkInterface": "CreateInstanceConnectEndpoint (EC2 user guide)",
    "ec2:ModifySecurityGroupRules": "a description of a rule that a new version changes",
    "ec2:ModifyVpcEndpoint": "subnets, groups or policy of an endpoint that stays",
    "ec2:ReplaceRoute": "another `network.nat`",
    "ec2:StartInstances": "a machine that is stopped (docs/runbooks/alarms.md)",
    "elasticloadbalancing:ModifyTargetGroup": "a health check that a new version changes",
    "elasticloadbalancing:SetSubnets": "a zone more (docs/runbooks/resize.md)",
    "iam:CreateServiceLinkedRole": "the account's first balancer, endpoint, group or Spot Instance",
    "iam:PassRole": "RunInstances, CreateAutoScalingGroup and AddRoleToInstanceProfile",
    "kms:CreateGrant": "EC2 attaches an encrypted volume",
    "kms:Decrypt": "encrypted parameters, volumes and objects",
    "kms:Encrypt": "encrypted parameters",
    "kms:GenerateDataKey": "encrypted objects and large parameters",
    "kms:GenerateDataKeyWithoutPlaintext": "encrypted volumes",
    "kms:ListKeys": "python -m recovery",
    "kms:ReEncryptFrom": "encrypted root volumes",
    "kms:ReEncryptTo": "encrypted root volumes",
    "logs:UntagResource": "a tag that is taken away",
    "route53:AssociateVPCWithHostedZone": "interface endpoints with private DNS",
    "sns:ListTopics": "python -m recovery",
}
"""Actions that no request names, or that only a rare change does, each with what needs it."""

NEWER = {"s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource"}
"""Actions of providers from 6.23 on, which the bridged one does not ask for: tags of buckets by S3
Control (docs/lab.md)."""


def operator_policies(cluster: str) -> dict[str, Document]:
    """The policies of the operator, who runs `up`, `refresh` and `destroy`, by name.

    They are two because IAM limits the length of one. Both are needed.
    """
    return {
        "operator-network": operator_network_policy(cluster),
        "operator-data": operator_data_policy(cluster),
    }


def preview_policy(cluster: str) -> Document:
    """The policy of a CI job that runs `preview`, without `--refresh`: it reads no secret."""
    return document(
        [
            # The provider reads an image's boot variables when it looks the image up.
            allow(
                "LookUp",
                ["ec2:Describe*", "ec2:GetInstanceUefiData", "sts:GetCallerIdentity"],
                ["*"],
            ),
            allow(
                "Record",
                ["ssm:GetParametersByPath"],
                [f"arn:aws:ssm:*:*:parameter/{cluster}/record"],
            ),
        ]
    )


def files() -> dict[str, str]:
    """The files of docs/iam by name."""
    documents = {**operator_policies(CLUSTER), "preview": preview_policy(CLUSTER)}
    return {
        f"{name}.json": json.dumps(document, indent=2) + "\n"
        for name, document in documents.items()
    }


def main() -> None:
    """Write the files."""
    for name, text in files().items():
        (DIRECTORY / name).write_text(text)


if __name__ == "__main__":
    main()
