"""Tags that a service of AWS refuses are refused, when something is made and afterwards."""

import pytest
from botocore.exceptions import ClientError

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "ec2.amazonaws.com"}}]}'
)
NEVER = {
    "reserved": {"aws:owner": "x"},
    "long key": {"k" * 129: "x"},
    "long value": {"key": "v" * 257},
    "too many": {f"key{number}": "x" for number in range(51)},
}
"""What nobody takes."""

NOT_IN_IAM = {
    "comma": {"a,b": "x"},
    "ampersand": {"team": "a&b"},
    "emoji": {"team": "\N{ROCKET}"},
    "case": {"Team": "a", "team": "b"},
}
"""What IAM does not take."""

GOOD = {"Owner Team": "a.b:/=+-@_ \u00e4", "k" * 128: "v" * 256}


def _list(tags, key="Key", value="Value"):
    return [{key: name, value: text} for name, text in tags.items()]


def _vpc(aws, _, tags):
    specification = [{"ResourceType": "vpc", "Tags": _list(tags)}]
    aws("ec2").create_vpc(CidrBlock="10.251.0.0/16", TagSpecifications=specification)


def _instance(_, network, tags):
    network.launch(TagSpecifications=[{"ResourceType": "instance", "Tags": _list(tags)}])


def _later(aws, network, tags):
    aws("ec2").create_tags(Resources=[network.vpc], Tags=_list(tags))


def _role(aws, network, tags):
    name = f"role-{network.vpc}"
    aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=_list(tags))


def _profile(aws, network, tags):
    name = f"profile-{network.vpc}"
    aws("iam").create_instance_profile(InstanceProfileName=name, Tags=_list(tags))


def _profile_later(aws, network, tags):
    name = f"later-{network.vpc}"
    aws("iam").create_instance_profile(InstanceProfileName=name)
    aws("iam").tag_instance_profile(InstanceProfileName=name, Tags=_list(tags))


def _key(aws, _, tags):
    aws("kms").create_key(Tags=_list(tags, "TagKey", "TagValue"))


def _parameter(aws, network, tags):
    aws("ssm").put_parameter(Name=f"/{network.vpc}", Value="x", Type="String", Tags=_list(tags))


def _target_group(aws, network, tags):
    aws("elbv2").create_target_group(
        Name=network.vpc, Protocol="TCP", Port=1, VpcId=network.vpc, Tags=_list(tags)
    )


def _bucket(aws, network, tags):
    where = {"LocationConstraint": "eu-central-1"}
    aws("s3").create_bucket(Bucket=network.vpc, CreateBucketConfiguration=where)
    aws("s3").put_bucket_tagging(Bucket=network.vpc, Tagging={"TagSet": _list(tags)})


IAM = [_role, _profile, _profile_later]
OTHERS = [_vpc, _instance, _later, _key, _parameter, _target_group, _bucket]


@pytest.mark.parametrize("tags", NEVER.values(), ids=NEVER.keys())
@pytest.mark.parametrize("make", IAM + OTHERS)
def test_tags_that_nobody_takes(aws, network, make, tags):
    with pytest.raises(ClientError) as refused:
        make(aws, network, tags)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500


@pytest.mark.parametrize("tags", NOT_IN_IAM.values(), ids=NOT_IN_IAM.keys())
@pytest.mark.parametrize("make", IAM)
def test_tags_that_iam_does_not_take(aws, network, make, tags):
    with pytest.raises(ClientError, match=r"ValidationError|InvalidInput"):
        make(aws, network, tags)


@pytest.mark.parametrize("make", IAM + OTHERS)
def test_good_tags_are_taken(aws, network, make):
    make(aws, network, GOOD)
