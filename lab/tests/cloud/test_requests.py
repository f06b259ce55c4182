"""What is remembered of requests, as IAM would see them."""

import json
import urllib.request

import pytest

from lab.cloud.requests import PATH, asked
from lab.machines.frontend.call import Call

ACCOUNT = "123456789012"
GROUPS = f"arn:aws:autoscaling:eu-central-1:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName"


def call(service, method="POST", path="/", query="", body=b"", **headers):
    signed = f"AWS4-HMAC-SHA256 Credential=me/20261128/eu-central-1/{service}/aws4_request, X"
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(method, "127.0.0.1:5580", path, query, {"authorization": signed, **names}, body)


def actions(one):
    return [(found.action, found.resource) for found in asked(one)]


FORM = {"content_type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"content_type": "application/x-amz-json-1.1"}


def test_an_action_of_a_service_without_names():
    one = call("ec2", body=b"Action=RunInstances&ImageId=ami-1", **FORM)
    assert actions(one) == [("ec2:RunInstances", "*")]
    assert asked(one)[0].access_key == "me"


def test_what_is_not_signed_asks_for_nothing():
    assert asked(Call("GET", "127.0.0.1", "/", "", {}, b"")) == []


@pytest.mark.parametrize(
    ("service", "body", "expected"),
    [
        (
            "iam",
            "Action=CreateRole&RoleName=r",
            ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/r"),
        ),
        (
            "iam",
            "Action=AddRoleToInstanceProfile&InstanceProfileName=p&RoleName=r",
            ("iam:AddRoleToInstanceProfile", f"arn:aws:iam::{ACCOUNT}:instance-profile/p"),
        ),
        (
            "sns",
            "Action=CreateTopic&Name=t",
            ("sns:CreateTopic", f"arn:aws:sns:eu-central-1:{ACCOUNT}:t"),
        ),
        (
            "autoscaling",
            "Action=UpdateAutoScalingGroup&AutoScalingGroupName=g&MinSize=1",
            ("autoscaling:UpdateAutoScalingGroup", f"{GROUPS}/g"),
        ),
        (
            "autoscaling",
            "Action=CreateOrUpdateTags&Tags.member.1.ResourceId=g&Tags.member.1.Key=a",
            ("autoscaling:CreateOrUpdateTags", f"{GROUPS}/g"),
        ),
        (
            "autoscaling",
            "Action=DescribeLifecycleHooks&AutoScalingGroupName=g",
            ("autoscaling:DescribeLifecycleHooks", "*"),
        ),
        ("sns", "Action=DeleteTopic&TopicArn=arn:t", ("sns:DeleteTopic", "arn:t")),
        (
            "monitoring",
            "Action=DescribeAlarms&AlarmNames.member.1=a",
            ("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:a"),
        ),
    ],
)
def test_forms_name_what_they_are_about(service, body, expected):
    assert actions(call(service, body=body.encode(), **FORM)) == [expected]


def test_json_names_what_it_is_about():
    document = {"Names": ["/a/b", "/a/c"], "WithDecryption": True}
    target = "AmazonSSM.GetParameters"
    one = call("ssm", body=json.dumps(document).encode(), x_amz_target=target, **JSON)
    arn = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter"
    assert actions(one) == [
        ("ssm:GetParameters", f"{arn}/a/b"),
        ("ssm:GetParameters", f"{arn}/a/c"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("PUT", "/b", "", ["CreateBucket"]),
        ("HEAD", "/b", "", ["ListBucket"]),
        ("GET", "/b", "list-type=2&prefix=x", ["ListBucket"]),
        ("GET", "/b", "versions", ["ListBucketVersions"]),
        ("GET", "/b", "encryption", ["GetEncryptionConfiguration"]),
        ("DELETE", "/b", "encryption", ["PutEncryptionConfiguration"]),
        ("DELETE", "/b", "policy", ["DeleteBucketPolicy"]),
        ("DELETE", "/b", "", ["DeleteBucket"]),
        ("GET", "/b", "object-lock", ["GetBucketObjectLockConfiguration"]),
        ("POST", "/b", "delete", ["DeleteObject", "DeleteObjectVersion"]),
        ("GET", "/b/k", "", ["GetObject"]),
        ("HEAD", "/b/k", "versionId=1", ["GetObjectVersion"]),
        ("PUT", "/b/k", "", ["PutObject"]),
        ("PUT", "/b/k", "tagging", ["PutObjectTagging"]),
        ("DELETE", "/b/k", "versionId=1", ["DeleteObjectVersion"]),
    ],
)
def test_s3_is_told_by_method_and_sub_resource(method, path, query, expected):
    found = actions(call("s3", method, path, query))
    assert [action for action, _ in found] == [f"s3:{name}" for name in expected]
    assert {resource.partition("/")[0] for _, resource in found} == {"arn:aws:s3:::b"}


@pytest.mark.parametrize(
    ("method", "query", "expected"),
    [
        ("GET", "", "s3:ListTagsForResource"),
        ("POST", "", "s3:TagResource"),
        ("DELETE", "tagKeys=a", "s3:UntagResource"),
    ],
)
def test_tags_of_a_bucket_by_s3_control(method, query, expected):
    path = "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab"
    assert actions(call("s3", method, path, query)) == [(expected, "arn:aws:s3:::b")]


def test_a_server_tells_who_asked_for_what_and_forgets(emulator, aws):
    aws("sts").get_caller_identity()
    url = f"{emulator.endpoint}{PATH}"
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - a loopback address
        found = json.load(answer)
    mine = {"access_key": "lab", "action": "sts:GetCallerIdentity", "resource": "*"}
    assert mine in found
    forget = urllib.request.Request(url, method="DELETE")  # noqa: S310 - a loopback address
    with urllib.request.urlopen(forget) as answer:  # noqa: S310 - a loopback address
        assert json.load(answer) == []
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - a loopback address
        assert json.load(answer) == []
