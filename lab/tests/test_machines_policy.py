"""The evaluator of policies, on the documents that the program declares."""

import json

import pytest

from components.naming import ParameterPaths
from components.nodes.role_policy import Account, api_node_policy, etcd_node_policy
from lab.machines.frontend.policy import Permission, UnknownConditionError, allowed

ACCOUNT = Account("aws", "eu-central-1", "123456789012")
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
BUCKET = "arn:aws:s3:::snapshots"
PATHS = ParameterPaths("local")


def parameter(name: str) -> str:
    return f"arn:aws:ssm:eu-central-1:123456789012:parameter{name}"


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource, **more) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture
def etcd() -> list[dict]:
    text = etcd_node_policy("etcd-0", PATHS, ACCOUNT, key_arn=KEY, bucket_arn=BUCKET)
    return [json.loads(text)]


@pytest.fixture
def api() -> list[dict]:
    text = api_node_policy("api-0", PATHS, ACCOUNT, key_arn=KEY, bucket_arn=BUCKET)
    return [json.loads(text)]


def decrypt(name: str) -> Permission:
    return Permission("kms:Decrypt", KEY, {"kms:EncryptionContext:PARAMETER_ARN": parameter(name)})


def test_a_node_reads_its_own_files_and_no_others(etcd):
    own, other = PATHS.secrets("etcd-0"), PATHS.secrets("etcd-1")
    assert allowed(etcd, Permission("ssm:GetParametersByPath", parameter(own)))
    assert allowed(etcd, decrypt(f"{own}/server.key"))
    assert not allowed(etcd, Permission("ssm:GetParametersByPath", parameter(other)))
    assert not allowed(etcd, Permission("ssm:GetParametersByPath", parameter("/local")))
    assert not allowed(etcd, Permission("ssm:GetParameter", parameter(f"{own}/server.key")))
    assert not allowed(etcd, decrypt(f"{other}/server.key"))
    assert not allowed(etcd, Permission("kms:Decrypt", KEY))


def test_a_node_reports_itself_and_no_other(etcd):
    assert allowed(etcd, Permission("ssm:PutParameter", parameter(PATHS.status("etcd-0"))))
    assert not allowed(etcd, Permission("ssm:PutParameter", parameter(PATHS.status("etcd-1"))))
    assert not allowed(etcd, Permission("ssm:PutParameter", parameter(PATHS.desired_members)))
    assert allowed(etcd, Permission("ssm:GetParameterHistory", parameter(PATHS.formation)))
    assert allowed(etcd, Permission("ssm:GetParameterHistory", parameter(PATHS.status("etcd-1"))))


def test_api_servers_end_drains_of_their_own_clusters_workers_alone(api):
    text = api_node_policy("api-0", PATHS, ACCOUNT, key_arn=KEY, bucket_arn=BUCKET, workers=True)

    def drain(group: str, cluster: str) -> Permission:
        start = "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:1a"
        return Permission(
            "autoscaling:CompleteLifecycleAction",
            f"{start}:autoScalingGroupName/{group}",
            {"aws:ResourceTag/ha-kubernetes:cluster": cluster},
        )

    own = drain("local-workers-web", "local")
    assert allowed([json.loads(text)], own)
    assert not allowed(api, own)
    # The second one is of a cluster whose name begins as a pool of this one would.
    for name, cluster in (("prod-workers-web", "prod"), ("local-workers-a-workers-b", "other")):
        assert not allowed([json.loads(text)], drain(name, cluster))


def test_only_etcd_nodes_form(etcd, api):
    permission = Permission("ssm:PutParameter", parameter(PATHS.formation))
    assert allowed(etcd, permission)
    assert not allowed(api, permission)


def test_metrics_go_to_the_clusters_own_namespace(etcd):
    assert allowed(
        etcd,
        Permission(
            "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "ha-kubernetes/local"}
        ),
    )
    for another in ("ha-kubernetes", "ha-kubernetes/prod", "ha-kubernetes/test-2"):
        permission = Permission("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": another})
        assert not allowed(etcd, permission), "it could keep the alarms of another cluster silent"
    assert not allowed(
        etcd, Permission("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "AWS/EC2"})
    )
    assert not allowed(etcd, Permission("cloudwatch:PutMetricData", "*"))


def test_a_deny_wins_wherever_it_stands():
    deny = {"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}
    for statements in ((allow("*", "*"), deny), (deny, allow("*", "*"))):
        assert not allowed([document(*statements)], Permission("s3:GetObject", BUCKET))
        assert allowed([document(*statements)], Permission("s3:PutObject", BUCKET))
    assert not allowed(
        [document(allow("*", "*")), document(deny)], Permission("s3:GetObject", BUCKET)
    )


def test_nothing_allows_nothing():
    assert not allowed([], Permission("s3:GetObject", BUCKET))


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("S3:getobject", BUCKET, True),
        ("s3:Get?bject", BUCKET, True),
        ("s3:Get", BUCKET, False),
        ("s3:GetObject", BUCKET.upper(), False),
        ("s3:GetObject", "arn:aws:s3:::snap*", True),
        ("s3:GetObject", "arn:aws:s3:::snap", False),
        (["s3:PutObject", "s3:GetObject"], ["arn:*", "x"], True),
    ],
)
def test_actions_ignore_case_and_resources_do_not(action, resource, expected):
    assert (
        allowed([document(allow(action, resource))], Permission("s3:GetObject", BUCKET)) is expected
    )


def test_what_is_not_named_is_what_is_meant_by_not():
    one = document({"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:secret"})
    assert allowed([one], Permission("s3:GetObject", BUCKET))
    assert not allowed([one], Permission("iam:PassRole", BUCKET))
    assert not allowed([one], Permission("s3:GetObject", "arn:secret"))


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"k": "a"}}, {"K": "a"}, True),
        ({"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
        ({"StringEquals": {"k": "a*"}}, {"k": "ab"}, False),
        ({"StringEquals": {"k": "a"}}, {}, False),
        ({"StringEqualsIfExists": {"k": "a"}}, {}, True),
        ({"StringEqualsIfExists": {"k": "a"}}, {"k": "b"}, False),
        ({"StringNotEquals": {"k": "a"}}, {}, True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, False),
        ({"StringLike": {"k": "etcd-0/*"}}, {"k": "etcd-0/x"}, True),
        ({"StringLike": {"k": "etcd-0/*"}}, {"k": "etcd-01/x"}, False),
        ({"StringNotLike": {"k": "a*"}}, {"k": "ab"}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
        ({"Null": {"k": "true"}}, {}, True),
        ({"Null": {"k": "true"}}, {"k": "a"}, False),
        ({"StringEquals": {"k": "a"}, "StringLike": {"l": "b"}}, {"k": "a"}, False),
    ],
)
def test_conditions(condition, context, expected):
    policy = document(allow("*", "*", Condition=condition))
    assert allowed([policy], Permission("s3:GetObject", BUCKET, context)) is expected


@pytest.mark.parametrize(
    "statement",
    [
        allow("*", "*", Condition={"NumericLessThan": {"s3:max-keys": "10"}}),
        allow("*", "arn:aws:s3:::${aws:username}"),
    ],
)
def test_what_it_does_not_know_it_does_not_decide(statement):
    with pytest.raises(UnknownConditionError):
        allowed([document(statement)], Permission("s3:GetObject", BUCKET))
