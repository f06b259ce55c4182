"""A launch that AWS refuses is refused; the types that a stack can name are known by zone."""

import base64

import pytest
from botocore.exceptions import ClientError

from lab.tests.cloud.conftest import IMAGE_OWNER


def test_a_type_of_another_architecture_is_refused(network):
    with pytest.raises(ClientError, match="does not match the architecture"):
        network.launch(InstanceType="t4g.small")


def test_each_architecture_has_its_image(ec2, network):
    images = ec2.describe_images(Owners=[IMAGE_OWNER])["Images"]
    (arm, *_) = (image for image in images if image["Architecture"] == "arm64")
    assert network.launch(ImageId=arm["ImageId"], InstanceType="t4g.small")


def test_a_type_that_nobody_has_is_refused(network):
    with pytest.raises(ClientError, match="InvalidInstanceType"):
        network.launch(InstanceType="m6i.lrage")


def test_a_type_that_a_zone_lacks_is_refused(ec2, network):
    where = {"LocationType": "availability-zone"}
    offered = {
        (one["InstanceType"], one["Location"])
        for page in ec2.get_paginator("describe_instance_type_offerings").paginate(**where)
        for one in page["InstanceTypeOfferings"]
    }
    kinds = sorted({kind for kind, _ in offered})
    kind = next(
        kind
        for kind in kinds
        if (kind, "eu-central-1a") not in offered
        and "x86_64"
        in ec2.describe_instance_types(InstanceTypes=[kind])["InstanceTypes"][0]["ProcessorInfo"][
            "SupportedArchitectures"
        ]
    )
    with pytest.raises(ClientError, match=r"Unsupported.*eu-central-1a"):
        network.launch(InstanceType=kind)


def test_a_security_group_of_another_vpc_is_refused(ec2, network):
    vpc = ec2.create_vpc(CidrBlock="10.250.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="far", Description="d", VpcId=vpc)["GroupId"]
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        network.launch(SecurityGroupIds=[network.group, group])


def test_user_data_ends_at_16_kib(ec2, network):
    with pytest.raises(ClientError, match="limited to 16384 bytes"):
        network.launch(UserData="x" * 16385)
    instance = network.launch(UserData="x" * 16384)
    kept = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")[
        "UserData"
    ]["Value"]
    assert len(base64.b64decode(kept)) == 16384


@pytest.mark.parametrize(
    ("kind", "processor"), [("t3.small", "x86_64"), ("m6i.large", "x86_64"), ("m7g.large", "arm64")]
)
def test_the_types_of_the_stacks_are_known_in_every_zone(ec2, kind, processor):
    offerings = ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [kind]}]
    )["InstanceTypeOfferings"]
    assert {one["Location"] for one in offerings} >= {f"eu-central-1{zone}" for zone in "abc"}
    (about,) = ec2.describe_instance_types(InstanceTypes=[kind])["InstanceTypes"]
    assert about["ProcessorInfo"]["SupportedArchitectures"] == [processor]
    assert about["Hypervisor"] == "nitro"
    assert about["NetworkInfo"]["Ipv4AddressesPerInterface"] > 1
