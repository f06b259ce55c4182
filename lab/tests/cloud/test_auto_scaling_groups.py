"""Auto Scaling groups without machines: what is asked for is there at once."""

import pytest
from botocore.exceptions import ClientError

from lab.tests.cloud.worker_groups import Pool


@pytest.fixture
def pool(aws, emulator, network):
    pool = Pool(aws, emulator, network)
    pool.make_template()
    yield pool
    for group in pool.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
        pool.scaling.delete_auto_scaling_group(
            AutoScalingGroupName=group["AutoScalingGroupName"], ForceDelete=True
        )


def zones(pool: Pool) -> list[str]:
    return sorted(one["AvailabilityZone"] for one in pool.group["Instances"])


def test_a_group_spreads_its_instances_over_its_subnets(pool):
    pool.create(least=4)
    assert set(pool.states.values()) == {"InService"}
    assert zones(pool) == ["eu-central-1a"] * 2 + ["eu-central-1b"] * 2
    assert pool.group["DesiredCapacity"] == 4


def test_an_instance_is_as_its_template_says(pool, aws, network):
    aws("iam").create_instance_profile(InstanceProfileName=pool.name)
    pool.new_version(
        IamInstanceProfile={"Name": pool.name},
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3"}}
        ],
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "template"}]},
            {"ResourceType": "volume", "Tags": [{"Key": "b", "Value": "volume"}]},
        ],
    )
    tags = [
        {"Key": "Name", "Value": "worker", "PropagateAtLaunch": True},
        {"Key": "c", "Value": "not", "PropagateAtLaunch": False},
    ]
    template = {"LaunchTemplateName": pool.name, "Version": "2"}
    pool.create(least=1, LaunchTemplate=template, Tags=tags)
    instance = network.read(next(iter(pool.states)))
    assert instance["IamInstanceProfile"]["Arn"].endswith(f"/{pool.name}")
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [network.group]
    assert [one["DeviceName"] for one in instance["BlockDeviceMappings"]] == ["/dev/xvda"]
    assert {one["Key"]: one["Value"] for one in instance["Tags"]} == {
        "a": "template",
        "Name": "worker",
        "aws:autoscaling:groupName": pool.name,
        "aws:ec2launchtemplate:id": pool.group["LaunchTemplate"]["LaunchTemplateId"],
        "aws:ec2launchtemplate:version": "2",
    }
    volume = instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    (read,) = aws("ec2").describe_volumes(VolumeIds=[volume])["Volumes"]
    assert (read["Size"], read["Tags"]) == (30, [{"Key": "b", "Value": "volume"}])
    data = aws("ec2").describe_instance_attribute(
        InstanceId=instance["InstanceId"], Attribute="userData"
    )
    assert data["UserData"]["Value"] == pool.data()["UserData"]


def test_a_terminated_instance_is_replaced(pool, ec2):
    pool.create()
    first, second = pool.states
    ec2.terminate_instances(InstanceIds=[first])
    assert first not in pool.states
    assert second in pool.states
    assert list(pool.states.values()) == ["InService"] * 2


def test_a_stopped_instance_is_replaced(pool, ec2):
    pool.create()
    first, _ = pool.states
    ec2.stop_instances(InstanceIds=[first])
    assert first not in pool.states
    assert len(pool.states) == 2


def test_who_calls_an_instance_unhealthy_has_it_replaced(pool):
    pool.create()
    first, _ = pool.states
    pool.scaling.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    assert first not in pool.states
    assert len(pool.states) == 2


def test_the_size_follows_its_bounds(pool):
    pool.create(least=2, most=4)
    pool.update(MinSize=3)
    assert (pool.group["DesiredCapacity"], len(pool.states)) == (3, 3)
    pool.update(MinSize=0, MaxSize=1)
    assert (pool.group["DesiredCapacity"], len(pool.states)) == (1, 1)
    pool.update(MinSize=0, MaxSize=3)
    assert len(pool.states) == 1, "an autoscaler's size stays within the bounds as it is"


def test_scale_in_keeps_the_zones_even_and_spares_what_is_protected(pool):
    pool.create(least=0, most=4, DesiredCapacity=4)
    protected = next(iter(pool.states))
    pool.scaling.set_instance_protection(
        AutoScalingGroupName=pool.name, InstanceIds=[protected], ProtectedFromScaleIn=True
    )
    pool.scaling.set_desired_capacity(AutoScalingGroupName=pool.name, DesiredCapacity=2)
    assert protected in pool.states
    assert zones(pool) == ["eu-central-1a", "eu-central-1b"]


def test_an_autoscaler_takes_one_away(pool):
    pool.create(least=1, most=4, DesiredCapacity=2)
    first, second = pool.states
    pool.scaling.terminate_instance_in_auto_scaling_group(
        InstanceId=first, ShouldDecrementDesiredCapacity=True
    )
    assert list(pool.states) == [second]
    with pytest.raises(ClientError, match="min size"):
        pool.scaling.terminate_instance_in_auto_scaling_group(
            InstanceId=second, ShouldDecrementDesiredCapacity=True
        )


def test_a_group_with_instances_is_not_deleted(pool):
    pool.create()
    pool.hook()
    with pytest.raises(ClientError, match="ResourceInUse"):
        pool.scaling.delete_auto_scaling_group(AutoScalingGroupName=pool.name)
    pool.update(MinSize=0, MaxSize=0, DesiredCapacity=0)
    assert pool.states == {}
    pool.scaling.delete_auto_scaling_group(AutoScalingGroupName=pool.name)
    answer = pool.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[pool.name])
    assert answer["AutoScalingGroups"] == []


def test_templates_and_groups_are_counted(pool, emulator):
    pool.create()
    inventory = emulator.inventory()
    assert pool.name in inventory["launch template"]
    assert pool.name in inventory["Auto Scaling group"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"VPCZoneIdentifier": "subnet-0123456789abcdef0"}, "subnet-0123456789abcdef0"),
        ({"LaunchTemplate": {"LaunchTemplateName": "nobody", "Version": "1"}}, "nobody"),
        ({"DesiredCapacity": 5}, "must be between"),
        ({"MaxSize": 1}, "cannot be greater"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "reserved"),
    ],
)
def test_what_cannot_be_is_refused(pool, changes, message):
    with pytest.raises(ClientError, match=message) as refused:
        pool.create(**changes)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    answer = pool.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[pool.name])
    assert answer["AutoScalingGroups"] == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"ImageId": "ami-12345678"}, "ami-12345678"),
        ({"InstanceType": "m6g.large"}, "architecture"),
        ({"IamInstanceProfile": {"Name": "nobody"}}, "Invalid IAM Instance Profile"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-12345678"]}]}, "sg-12345678"),
        (
            {"NetworkInterfaces": [{"DeviceIndex": 0, "Ipv4PrefixCount": 6}]},
            "Number of private addresses",
        ),
    ],
)
def test_a_template_that_cannot_be_launched_is_refused(pool, data, message):
    version = pool.new_version(**data)
    template = {"LaunchTemplateName": pool.name, "Version": version}
    with pytest.raises(ClientError, match=message):
        pool.create(LaunchTemplate=template)


def test_a_version_that_is_not_there_is_refused(pool):
    with pytest.raises(ClientError, match="fully-formed"):
        pool.create(LaunchTemplate={"LaunchTemplateName": pool.name, "Version": "7"})
    pool.create()
    with pytest.raises(ClientError, match="fully-formed"):
        pool.update(LaunchTemplate={"LaunchTemplateName": pool.name, "Version": "7"})
    pool.update(LaunchTemplate={"LaunchTemplateName": pool.name, "Version": "1"})


def test_a_second_group_of_a_name_is_refused(pool):
    pool.create()
    with pytest.raises(ClientError, match="AlreadyExists"):
        pool.create()


def test_a_launch_that_fails_is_told_and_tried_again(pool, ec2, network):
    version = pool.new_version(
        NetworkInterfaces=[{"DeviceIndex": 0, "Groups": [network.group], "Ipv4PrefixCount": 1}]
    )
    # The subnets have 16 addresses, of which AWS keeps some: no /28 is free.
    pool.create(least=1, LaunchTemplate={"LaunchTemplateName": pool.name, "Version": version})
    assert pool.states == {}
    assert "enough free cidr blocks" in pool.failures[0]
    pool.update(LaunchTemplate={"LaunchTemplateName": pool.name, "Version": "1"})
    assert pool.states == {}, "it waits before it tries again"
    pool.skip(60)
    assert list(pool.states.values()) == ["InService"]


def test_spot_by_the_template_and_by_a_policy(pool, network):
    version = pool.new_version(InstanceMarketOptions={"MarketType": "spot"})
    template = {"LaunchTemplateName": pool.name, "Version": version}
    pool.create(least=1, LaunchTemplate=template)
    assert network.read(next(iter(pool.states)))["InstanceLifecycle"] == "spot"

    mixed = Pool(pool.aws, pool.server, network)
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": pool.name, "Version": "1"}
        },
        "InstancesDistribution": {
            "OnDemandBaseCapacity": 1,
            "OnDemandPercentageAboveBaseCapacity": 0,
        },
    }
    arguments = {
        "AutoScalingGroupName": mixed.name,
        "MinSize": 3,
        "MaxSize": 3,
        "VPCZoneIdentifier": f"{network.subnet},{network.other_subnet}",
        "MixedInstancesPolicy": policy,
    }
    mixed.scaling.create_auto_scaling_group(**arguments)
    lives = [network.read(one).get("InstanceLifecycle") for one in mixed.states]
    assert sorted(map(str, lives)) == ["None", "spot", "spot"]
    mixed.update(MinSize=2)
    assert mixed.group["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"] == 1


def test_a_group_outlives_its_subnets_and_its_template(pool, ec2, network):
    pool.create(least=0)
    ec2.delete_subnet(SubnetId=network.other_subnet)
    pool.update(MinSize=2)
    assert zones(pool) == ["eu-central-1a"] * 2
    ec2.delete_launch_template(LaunchTemplateName=pool.name)
    ec2.terminate_instances(InstanceIds=list(pool.states))
    assert pool.states == {}
    assert "does not exist" in pool.failures[0]


def test_a_group_terminates_what_people_may_not(pool, ec2):
    version = pool.new_version(DisableApiTermination=True)
    pool.create(least=1, LaunchTemplate={"LaunchTemplateName": pool.name, "Version": version})
    (instance,) = pool.states
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        ec2.terminate_instances(InstanceIds=[instance])
    pool.update(MinSize=0, MaxSize=0)
    assert pool.states == {}
