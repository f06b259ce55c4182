"""Volumes keep their figures, their zone and their one instance."""

import pytest
from botocore.exceptions import ClientError


def _volume(ec2, zone="eu-central-1a", **more):
    return ec2.create_volume(AvailabilityZone=zone, Size=10, VolumeType="gp3", **more)["VolumeId"]


def _read(ec2, volume_id):
    return ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]


def _attach(ec2, volume_id, instance):
    ec2.attach_volume(VolumeId=volume_id, InstanceId=instance["InstanceId"], Device="/dev/sdf")


def test_the_root_volume_keeps_iops_and_throughput(network, ec2):
    instance = network.launch(
        BlockDeviceMappings=[
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {
                    "VolumeSize": 20,
                    "VolumeType": "gp3",
                    "Iops": 4000,
                    "Throughput": 250,
                    "Encrypted": True,
                    "DeleteOnTermination": True,
                },
            }
        ]
    )
    (device,) = instance["BlockDeviceMappings"]
    volume = _read(ec2, device["Ebs"]["VolumeId"])

    assert device["DeviceName"] == instance["RootDeviceName"] == "/dev/xvda"
    assert (volume["Size"], volume["Iops"], volume["Throughput"]) == (20, 4000, 250)
    assert volume["Encrypted"] is True


def test_a_launch_that_says_nothing_gets_the_images_root_volume(network, ec2):
    instance = network.launch()
    (device,) = instance["BlockDeviceMappings"]
    volume = _read(ec2, device["Ebs"]["VolumeId"])
    assert device["DeviceName"] == "/dev/xvda"
    assert (volume["VolumeType"], volume["Iops"], volume["Throughput"]) == ("gp3", 3000, 125)

    network.terminate(instance)
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        _read(ec2, device["Ebs"]["VolumeId"])


def test_gp3_has_default_figures_and_keeps_given_ones(ec2):
    plain, fast = _read(ec2, _volume(ec2)), _read(ec2, _volume(ec2, Iops=5000, Throughput=500))
    assert (plain["Iops"], plain["Throughput"]) == (3000, 125)
    assert (fast["Iops"], fast["Throughput"]) == (5000, 500)


def test_a_volume_of_another_zone_is_refused(network, ec2):
    volume, instance = _volume(ec2, "eu-central-1b"), network.launch()
    with pytest.raises(ClientError, match=r"InvalidVolume\.ZoneMismatch"):
        _attach(ec2, volume, instance)
    assert _read(ec2, volume)["State"] == "available"


def test_an_attached_volume_is_refused_to_another_instance(network, ec2):
    volume, first, second = _volume(ec2), network.launch(), network.launch()
    _attach(ec2, volume, first)
    with pytest.raises(ClientError, match="VolumeInUse"):
        _attach(ec2, volume, second)
    (attachment,) = _read(ec2, volume)["Attachments"]
    assert attachment["InstanceId"] == first["InstanceId"]


def test_a_device_name_holds_one_volume(network, ec2):
    instance = network.launch()
    _attach(ec2, _volume(ec2), instance)
    with pytest.raises(ClientError, match=r"/dev/sdf is already in use"):
        _attach(ec2, _volume(ec2), instance)


def test_a_data_volume_survives_its_instance_and_moves_on(network, ec2):
    volume, first = _volume(ec2), network.launch()
    _attach(ec2, volume, first)
    network.terminate(first)
    assert _read(ec2, volume)["State"] == "available"

    with pytest.raises(ClientError, match="IncorrectState"):
        _attach(ec2, volume, first)
    second = network.launch()
    _attach(ec2, volume, second)
    assert _read(ec2, volume)["Attachments"][0]["InstanceId"] == second["InstanceId"]
