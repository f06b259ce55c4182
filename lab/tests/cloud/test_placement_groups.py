"""Placement groups exist, hold instances and cannot be deleted under them."""

import pytest
from botocore.exceptions import ClientError


def test_life_of_a_group(network, ec2):
    made = ec2.create_placement_group(
        GroupName="etcd",
        Strategy="spread",
        TagSpecifications=[
            {"ResourceType": "placement-group", "Tags": [{"Key": "tier", "Value": "etcd"}]}
        ],
    )["PlacementGroup"]
    assert made["State"] == "available"
    instance = network.launch(Placement={"GroupName": "etcd"})

    (read,) = ec2.describe_placement_groups(GroupNames=["etcd"])["PlacementGroups"]
    assert (read["GroupId"], read["Strategy"], read["SpreadLevel"]) == (
        made["GroupId"],
        "spread",
        "rack",
    )
    assert read["Tags"] == [{"Key": "tier", "Value": "etcd"}]
    assert instance["Placement"]["GroupName"] == "etcd"
    with pytest.raises(ClientError, match=r"InvalidPlacementGroup\.Duplicate"):
        ec2.create_placement_group(GroupName="etcd", Strategy="spread")
    with pytest.raises(ClientError, match=r"InvalidPlacementGroup\.InUse"):
        ec2.delete_placement_group(GroupName="etcd")

    network.terminate(instance)
    ec2.delete_placement_group(GroupName="etcd")
    with pytest.raises(ClientError, match=r"InvalidPlacementGroup\.Unknown"):
        ec2.describe_placement_groups(GroupNames=["etcd"])


def test_tags_can_change(ec2):
    group = ec2.create_placement_group(GroupName="tagged", Strategy="partition", PartitionCount=3)
    group_id = group["PlacementGroup"]["GroupId"]
    ec2.create_tags(Resources=[group_id], Tags=[{"Key": "a", "Value": "b"}])

    (read,) = ec2.describe_placement_groups(GroupIds=[group_id])["PlacementGroups"]
    assert read["Tags"] == [{"Key": "a", "Value": "b"}]
    assert read["PartitionCount"] == 3
    ec2.delete_placement_group(GroupName="tagged")


def test_a_launch_into_an_unknown_group_is_refused(network):
    with pytest.raises(ClientError, match=r"InvalidPlacementGroup\.Unknown"):
        network.launch(Placement={"GroupName": "nowhere"})


def test_a_spread_group_holds_seven_in_a_zone(ec2, network):
    name = f"spread-{network.vpc}"
    ec2.create_placement_group(GroupName=name, Strategy="spread", SpreadLevel="rack")
    where = {"Placement": {"GroupName": name}}
    running = [network.launch(**where) for _ in range(7)]
    with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
        network.launch(**where)
    network.launch(**where, SubnetId=network.other_subnet)
    network.terminate(running[0])
    network.launch(**where)
