"""A volume never shrinks, changes four times a day, and is detached once."""

import pytest
from botocore.exceptions import ClientError


def _volume(ec2, **figures):
    asked = {"AvailabilityZone": "eu-central-1a", "Size": 20, "VolumeType": "gp3", **figures}
    return ec2.create_volume(**asked)["VolumeId"]


def test_a_volume_never_shrinks(ec2):
    volume = _volume(ec2)
    with pytest.raises(ClientError, match="cannot be smaller than existing size"):
        ec2.modify_volume(VolumeId=volume, Size=8)
    ec2.modify_volume(VolumeId=volume, Size=40)
    with pytest.raises(ClientError, match="cannot be smaller"):
        ec2.modify_volume(VolumeId=volume, Size=20)
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"] == 40


def test_a_fifth_change_within_a_day_is_refused(ec2):
    volume = _volume(ec2)
    for size in (21, 22, 23, 24):
        ec2.modify_volume(VolumeId=volume, Size=size)
    with pytest.raises(ClientError, match="VolumeModificationRateExceeded"):
        ec2.modify_volume(VolumeId=volume, Size=25)


@pytest.mark.parametrize(
    "figures",
    [
        {"Size": 65537},
        {"Iops": 2999},
        {"Iops": 10001},
        {"Size": 1000, "Iops": 80001},
        {"Throughput": 124},
        {"Throughput": 751},
        {"Size": 1000, "Iops": 80000, "Throughput": 2001},
    ],
)
def test_figures_that_no_gp3_volume_has(ec2, figures):
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        _volume(ec2, **figures)


def test_the_largest_figures_are_taken(ec2):
    _volume(ec2, Size=65536, Iops=80000, Throughput=2000)
    _volume(ec2, Size=20, Iops=10000)
    _volume(ec2, Size=1)


def test_a_repeated_detachment_is_told_that_it_is_done(network, ec2):
    # The provider takes this very error for success.
    volume, instance = _volume(ec2), network.launch()
    where = {"VolumeId": volume, "InstanceId": instance["InstanceId"], "Device": "/dev/sdf"}
    ec2.attach_volume(**where)
    ec2.detach_volume(**where)
    for again in (where, {"VolumeId": volume}):
        with pytest.raises(ClientError, match=r"IncorrectState.*is in the 'available' state"):
            ec2.detach_volume(**again)


def test_a_volume_is_detached_without_naming_its_instance(network, ec2):
    volume, instance = _volume(ec2), network.launch()
    ec2.attach_volume(VolumeId=volume, InstanceId=instance["InstanceId"], Device="/dev/sdf")
    ec2.detach_volume(VolumeId=volume)
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available"


def test_the_root_volume_of_a_running_machine_stays(network, ec2):
    (device,) = network.launch()["BlockDeviceMappings"]
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        ec2.detach_volume(VolumeId=device["Ebs"]["VolumeId"])
