"""The official Debian 13 images are found, and nothing else is."""

import pytest

OWNER = "136693071363"


@pytest.mark.parametrize(("name", "architecture"), [("amd64", "x86_64"), ("arm64", "arm64")])
def test_the_search_of_the_program_finds_debian_13(ec2, name, architecture):
    images = ec2.describe_images(
        Owners=[OWNER],
        Filters=[
            {"Name": "name", "Values": [f"debian-13-{name}-*"]},
            {"Name": "architecture", "Values": [architecture]},
            {"Name": "virtualization-type", "Values": ["hvm"]},
            {"Name": "root-device-type", "Values": ["ebs"]},
            {"Name": "state", "Values": ["available"]},
            {"Name": "ena-support", "Values": ["true"]},
        ],
    )["Images"]
    images.sort(key=lambda image: image["CreationDate"])

    assert len(images) == 2
    newest = images[-1]
    assert newest["Name"] == f"debian-13-{name}-20250911-2232"
    assert newest["OwnerId"] == OWNER
    assert newest["Architecture"] == architecture
    assert newest["EnaSupport"] is True
    assert newest["RootDeviceName"] == "/dev/xvda"
    (device,) = newest["BlockDeviceMappings"]
    assert device["Ebs"]["DeleteOnTermination"] is True
    assert device["Ebs"]["VolumeType"] == "gp3"


def test_nobody_else_has_images(ec2):
    assert ec2.describe_images(Owners=["amazon"])["Images"] == []
    assert {image["OwnerId"] for image in ec2.describe_images()["Images"]} == {OWNER}
