"""Launch templates are read as they were written."""

import base64

import pytest
from botocore.exceptions import ClientError

from lab.tests.cloud.worker_groups import Pool


@pytest.fixture
def pool(aws, emulator, network):
    return Pool(aws, emulator, network)


def versions(pool: Pool) -> list[dict]:
    found = pool.ec2.describe_launch_template_versions(LaunchTemplateName=pool.name)
    return found["LaunchTemplateVersions"]


def test_data_round_trips(pool):
    data = pool.data(
        NetworkInterfaces=[
            {"DeviceIndex": 0, "Groups": [pool.network.group], "Ipv4PrefixCount": 5}
        ],
        BlockDeviceMappings=[
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {"VolumeSize": 30, "VolumeType": "gp3", "Encrypted": True},
            }
        ],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    pool.ec2.create_launch_template(LaunchTemplateName=pool.name, LaunchTemplateData=data)
    assert versions(pool)[0]["LaunchTemplateData"] == data


def test_the_templates_own_tags_are_not_its_data(pool):
    pool.ec2.create_launch_template(
        LaunchTemplateName=pool.name,
        LaunchTemplateData=pool.data(),
        TagSpecifications=[
            {"ResourceType": "launch-template", "Tags": [{"Key": "Name", "Value": "x"}]}
        ],
    )
    assert "TagSpecifications" not in versions(pool)[0]["LaunchTemplateData"]
    (template,) = pool.ec2.describe_launch_templates(LaunchTemplateNames=[pool.name])[
        "LaunchTemplates"
    ]
    assert template["Tags"] == [{"Key": "Name", "Value": "x"}]
    pool.ec2.create_tags(
        Resources=[template["LaunchTemplateId"]], Tags=[{"Key": "Name", "Value": "y"}]
    )
    (template,) = pool.ec2.describe_launch_templates(LaunchTemplateNames=[pool.name])[
        "LaunchTemplates"
    ]
    assert template["Tags"] == [{"Key": "Name", "Value": "y"}]


def test_the_default_version_is_the_one_that_was_set(pool):
    pool.make_template()
    assert pool.new_version() == "2"
    pool.ec2.modify_launch_template(LaunchTemplateName=pool.name, DefaultVersion="2")
    assert [one["DefaultVersion"] for one in versions(pool)] == [False, True]


@pytest.mark.parametrize("version", ["0", "3", "latest"])
def test_a_version_that_is_not_there(pool, version):
    pool.make_template()
    with pytest.raises(ClientError, match="VersionNotFound"):
        pool.ec2.describe_launch_template_versions(LaunchTemplateName=pool.name, Versions=[version])


def test_user_data_of_any_length_is_refused(pool):
    with pytest.raises(ClientError, match="limited to 16384 bytes"):
        pool.make_template(UserData=base64.b64encode(b"x" * 16385).decode())
    pool.make_template(UserData=base64.b64encode(b"x" * 16384).decode())


def test_names_have_their_lengths(pool):
    with pytest.raises(ClientError, match="between 3 and 128"):
        pool.ec2.create_launch_template(
            LaunchTemplateName="x" * 129, LaunchTemplateData=pool.data()
        )


def test_only_what_is_launched_is_tagged(pool):
    with pytest.raises(ClientError, match="taggable"):
        pool.make_template(
            TagSpecifications=[{"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}]
        )
