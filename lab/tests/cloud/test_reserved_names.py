"""Names that AWS refuses are refused, and the longest good ones are not."""

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize("name", ["internal-prod", "-prod", "prod-", "p" * 33, "pr_od"])
def test_a_load_balancers_name(aws, network, name):
    with pytest.raises(ClientError, match="ValidationError"):
        aws("elbv2").create_load_balancer(Name=name, Type="network", Subnets=[network.subnet])


def test_good_names_of_load_balancers_are_taken(aws, network):
    for name in ("internalprod-api", "p" * 32):
        aws("elbv2").create_load_balancer(Name=name, Type="network", Subnets=[network.subnet])


def test_a_security_groups_name(ec2, network):
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        ec2.create_security_group(GroupName="sg-prod", Description="d", VpcId=network.vpc)
    ec2.create_security_group(GroupName="sgprod", Description="d", VpcId=network.vpc)


@pytest.mark.parametrize(
    "name",
    [
        *("xn--prod", "sthree-prod", "prod-s3alias", "prod--ol-s3", "192.168.5.4"),
        *("Prod", "pr..od", "prod-", "-prod", "pr", "p" * 64),
    ],
)
def test_a_buckets_name(aws, name):
    with pytest.raises(ClientError, match="InvalidBucketName"):
        _bucket(aws, name)


def test_good_names_of_buckets_are_taken(aws):
    for name in ("p" * 63, "prod-bucket-0a1b2c3", "a.b-c.d1"):
        _bucket(aws, name)


def _bucket(aws, name):
    where = {"LocationConstraint": "eu-central-1"}
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
