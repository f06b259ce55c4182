"""The operator's policies, evaluated as IAM does."""

import pytest

from components.iam.operator_policies import operator_policies
from lab.machines.frontend.policy import Permission, allowed

OPERATOR = list(operator_policies("prod").values())


@pytest.mark.parametrize(
    ("action", "what", "context"),
    [
        (
            "iam:PassRole",
            "iam::1:role/prod-etcd-0-0a",
            {"iam:PassedToService": "ec2.amazonaws.com"},
        ),
        ("ec2:TerminateInstances", "ec2:eu-central-1:1:instance/i-0a", "tag"),
        ("ec2:DeleteVolume", "ec2:eu-central-1:1:volume/vol-0a", "tag"),
        ("kms:ScheduleKeyDeletion", "kms:eu-central-1:1:key/0a", "tag"),
        ("ec2:DeleteLaunchTemplate", "ec2:eu-central-1:1:launch-template/lt-0a", "tag"),
        (
            "autoscaling:DeleteAutoScalingGroup",
            "autoscaling:e:1:autoScalingGroup:0a:autoScalingGroupName/prod-workers-default",
            {},
        ),
        (
            "iam:PassRole",
            "iam::1:role/prod-workers-default-0a",
            {"iam:PassedToService": "ec2.amazonaws.com"},
        ),
        ("ssm:GetParameter", "ssm:eu-central-1:1:parameter/prod/nodes/api-0/files/ca.key", {}),
        ("s3:DeleteBucket", "s3:::prod-bucket-0a", {}),
        ("cloudwatch:DeleteAlarms", "cloudwatch:eu-central-1:1:alarm:prod-no-leader-0a", {}),
        ("sns:DeleteTopic", "sns:eu-central-1:1:prod-alarms-0a", {}),
        (
            "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:e:1:loadbalancer/net/prod-api-0a/1",
            {},
        ),
        (
            "kms:Decrypt",
            "kms:eu-central-1:1:key/0a",
            {"kms:ViaService": "ssm.eu-central-1.amazonaws.com"},
        ),
    ],
)
def test_what_the_operator_may_do_to_one_cluster_not_to_another(action, what, context):
    def may(cluster):
        tag = {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": "owned"}
        need = Permission(
            action, f"arn:aws:{what}".replace("prod", cluster), tag if context == "tag" else context
        )
        return allowed(OPERATOR, need)

    assert may("prod")
    if action != "kms:Decrypt":  # the key has no name of the cluster
        assert not may("dev")
    if context not in ({}, "tag"):
        assert not allowed(OPERATOR, Permission(action, f"arn:aws:{what}"))


def test_the_operator_passes_roles_to_ec2_alone():
    role = "arn:aws:iam::1:role/prod-etcd-0-0a"
    other = {"iam:PassedToService": "lambda.amazonaws.com"}
    assert not allowed(OPERATOR, Permission("iam:PassRole", role, other))
    linked = "arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    name = {"iam:AWSServiceName": "ecs.amazonaws.com"}
    assert not allowed(OPERATOR, Permission("iam:CreateServiceLinkedRole", linked, name))
