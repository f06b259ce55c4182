"""The operator's and the nodes' policies: linted, within IAM's limits, and as small as they look."""

import ast
import json
import re
import warnings
from fnmatch import fnmatchcase
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from components.iam.operator_policies import (
    DIRECTORY,
    IMPLIED,
    MANAGED_POLICY_LIMIT,
    NEWER,
    files,
    operator_policies,
    preview_policy,
)
from components.naming import ParameterPaths
from components.nodes.role_policy import (
    Account,
    api_node_policy,
    etcd_node_policy,
    trust_policy,
    worker_policy,
)
from tests.recording import REPOSITORY

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pkg_resources, which it imports, is deprecated
    import parliament

LONGEST = "a" * 20
"""As long as a cluster's name may be."""
ACCOUNT = Account("aws", "eu-central-1", "123456789012")
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a"
NODE = {"key_arn": KEY, "bucket_arn": "arn:aws:s3:::prod-bucket-0a"}


def policies():
    yield from operator_policies("prod").items()
    yield "preview", preview_policy("prod")
    paths = ParameterPaths("prod")
    for name, policy in (("etcd-0", etcd_node_policy), ("api-0", api_node_policy)):
        yield name, json.loads(policy(name, paths, ACCOUNT, **NODE))
    yield (
        "api-0 of workers",
        json.loads(api_node_policy("api-0", paths, ACCOUNT, workers=True, **NODE)),
    )
    yield "worker", json.loads(worker_policy(["prod-workers-web"], paths, ACCOUNT, **NODE))


POLICIES = dict(policies())

UNRESTRICTED = {
    # Ids that AWS chooses, of things that are made and linked to each other within one update; the
    # cluster's tag is on machines and disks, and only there a mistake could not be mended.
    "Network",
    # A new key has no name and, for authorisation, no tag yet.
    "MakeKeys",
    # Descriptions, GetCallerIdentity and DescribeParameters know no resource.
    "Describe",
    "LookUp",
    "WhoAmI",
    "FindParameters",
    "FindTopics",
    # By prefix, which the provider asks for, and which IAM does not see.
    "FindLogGroups",
    # Of an API server with workers: DescribeInstances and Describe* of Auto Scaling know none.
    "Instances",
    "Groups",
    # Restricted by its namespace instead: PutMetricData knows no resource.
    "Metrics",
    "PrivateDns",
}
"""Statements on every resource, with the reason."""


@pytest.mark.parametrize("name", POLICIES)
def test_a_linter_finds_nothing(name):
    found = parliament.analyze_policy_string(json.dumps(POLICIES[name])).findings
    # Where a resource could be named and is not: the statements above.
    assert [f"{one.issue} {one.detail}" for one in found if one.issue != "RESOURCE_STAR"] == []


def test_the_linter_would_find_a_misspelt_action_and_a_resource_that_does_not_fit():
    for action, issue in (
        ("s3:GetObjects", "UNKNOWN_ACTION"),
        ("s3:ListBucket", "RESOURCE_MISMATCH"),
    ):
        one = {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::b/*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [one]})
        assert issue in {found.issue for found in parliament.analyze_policy_string(text).findings}


@pytest.mark.parametrize("name", POLICIES)
def test_only_what_cannot_be_restricted_is_on_everything(name):
    for statement in POLICIES[name]["Statement"]:
        if statement["Resource"] == ["*"]:
            assert statement["Sid"] in UNRESTRICTED


def test_who_trusts_whom_is_linted_too():
    assert json.loads(trust_policy())["Statement"][0]["Principal"] == {
        "Service": "ec2.amazonaws.com"
    }


@pytest.mark.parametrize("name", ["operator-network", "operator-data"])
def test_a_policy_fits_into_a_managed_one(name):
    text = json.dumps(operator_policies(LONGEST)[name])
    assert len(re.sub(r"\s", "", text)) < MANAGED_POLICY_LIMIT


def test_the_files_are_current():
    written = {path.name: path.read_text() for path in DIRECTORY.glob("*.json")}
    assert written == files(), "run `make reference`"


def depends_on():
    """By action, those that the service authorization reference says it depends on."""
    definition = json.loads((Path(parliament.__file__).parent / "iam_definition.json").read_text())
    for service in definition:
        for privilege in service["privileges"]:
            named = [kind.get("dependent_actions", []) for kind in privilege["resource_types"]]
            yield f"{service['prefix']}:{privilege['privilege']}", {a for one in named for a in one}


OPTIONAL = {
    ("ec2:RunInstances", "ssm:GetParameters"): "an image that is named by a parameter",
    ("sns:CreateTopic", "iam:PassRole"): "delivery status logging",
    ("sns:SetTopicAttributes", "iam:PassRole"): "delivery status logging",
    **{
        ("ec2:CreateFlowLogs", f"ecs:List{kind}"): "records that name tasks of ECS"
        for kind in ("Clusters", "ContainerInstances", "Services", "TaskDefinitions", "Tasks")
    },
}
"""Dependencies of options that the program does not use."""


def test_what_actions_depend_on_is_given_too():
    given = {
        action
        for document in operator_policies("prod").values()
        for statement in document["Statement"]
        for action in statement["Action"]
    }
    missing = {
        (action, needed)
        for action, all_needed in depends_on()
        if action in given
        for needed in all_needed
        if not any(fnmatchcase(needed, one) for one in given)
    }
    assert missing <= set(OPTIONAL)
    assert set(IMPLIED) | NEWER <= given


OPERATIONS = {
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "delete_object": "s3:DeleteObject",
    "delete_objects": "s3:DeleteObject",
    "download_file": "s3:GetObject",
    "download_fileobj": "s3:GetObject",
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "list_multipart_uploads": "s3:ListBucketMultipartUploads",
    "list_objects_v2": "s3:ListBucket",
    "put_object": "s3:PutObject",
    "upload_file": "s3:PutObject",
    "upload_fileobj": "s3:PutObject",
}
"""Of S3, whose operations IAM names otherwise; of the other services the names agree."""

NOT_ASKED_FOR = {
    "kms:Decrypt": "Parameter Store and S3 decrypt in the caller's name",
    "kms:GenerateDataKey": "S3 encrypts in the caller's name",
    "s3:AbortMultipartUpload": "the transfer manager of upload_file, when a part fails",
}


OF_WORKERS = ("cluster", "worker")
"""Folders of `node/` whose programs run on API servers with workers, and on workers, alone."""


def called(paths):
    """The permissions of every boto3 operation that is named in these files."""
    names = {
        xform_name(operation): f"{service}:{operation}"
        for service in ("ssm", "cloudwatch", "autoscaling", "ec2")
        for operation in botocore.session.get_session().get_service_model(service).operation_names
    } | OPERATIONS
    for path in paths:
        for part in ast.walk(ast.parse(path.read_text())):
            if isinstance(part, ast.Attribute) and part.attr in names:
                yield names[part.attr]
            elif isinstance(part, ast.Constant) and part.value in names:  # a paginator's
                yield names[part.value]


def given(name):
    return {action for one in POLICIES[name]["Statement"] for action in one["Action"]}


def test_nodes_may_do_what_the_node_agent_asks_for_and_no_more():
    folders = [REPOSITORY / "node" / name for name in OF_WORKERS]
    paths = (REPOSITORY / "node").rglob("*.py")
    wanted = set(called(path for path in paths if path.parent not in folders))
    assert {"ssm:PutParameter", "cloudwatch:PutMetricData", "s3:PutObject"} <= wanted
    assert given("etcd-0") - set(NOT_ASKED_FOR) == wanted
    # API servers have no snapshots; the program that they fetch is the only object that they read.
    assert given("api-0") <= given("etcd-0") - {"s3:PutObject", "s3:ListBucket", "s3:DeleteObject"}


def test_where_there_are_workers_an_api_server_may_admit_them_and_no_more():
    wanted = set(called((REPOSITORY / "node/cluster").rglob("*.py")))
    assert {"ec2:DescribeInstances", "ssm:PutParameter"} <= wanted <= given("api-0 of workers")
    drains = {
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:CompleteLifecycleAction",
    }
    assert drains <= wanted
    more = {"ec2:DescribeInstances", "kms:Encrypt", "kms:GenerateDataKey", *drains}
    assert given("api-0 of workers") == given("api-0") | more
    written = [
        resource
        for statement in POLICIES["api-0 of workers"]["Statement"]
        if "ssm:PutParameter" in statement["Action"]
        for resource in statement["Resource"]
    ]
    paths = ParameterPaths("prod")
    assert written == [ACCOUNT.parameter(p) for p in (paths.status("api-0"), paths.join_token)]


def test_a_worker_may_join_and_end_its_drain_and_writes_nothing():
    drain = {"autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"}
    assert set(called((REPOSITORY / "node/worker").rglob("*.py"))) >= drain
    read = {"ssm:GetParameter", "ssm:GetParameters", "s3:GetObject", "kms:Decrypt"}
    assert given("worker") == drain | read
    names = [resource for one in POLICIES["worker"]["Statement"] for resource in one["Resource"]]
    assert [name for name in names if "/nodes/" in name or "/etcd/" in name] == []
    assert [name for name in names if name.endswith("autoScalingGroupName/prod-workers-web")]
