"""Security-group rules keep their words, and groups in use stay."""

import pytest
from botocore.exceptions import ClientError


def _permission(**peers):
    return {"IpProtocol": "tcp", "FromPort": 2379, "ToPort": 2379, **peers}


def _rules(ec2, group):
    answer = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return answer["SecurityGroupRules"]


@pytest.fixture
def other(network, ec2):
    return ec2.create_security_group(GroupName="api", Description="api", VpcId=network.vpc)[
        "GroupId"
    ]


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule_by_group_keeps_its_description(network, ec2, other, direction):
    authorize = getattr(ec2, f"authorize_security_group_{direction}")
    pair = {"GroupId": other, "Description": "etcd clients"}
    authorize(GroupId=network.group, IpPermissions=[_permission(UserIdGroupPairs=[pair])])

    (rule,) = [r for r in _rules(ec2, network.group) if r.get("ReferencedGroupInfo")]
    assert rule["ReferencedGroupInfo"]["GroupId"] == other
    assert rule["Description"] == "etcd clients"
    assert rule["IsEgress"] is (direction == "egress")
    with pytest.raises(ClientError, match=r"InvalidPermission\.Duplicate"):
        authorize(GroupId=network.group, IpPermissions=[_permission(UserIdGroupPairs=[pair])])


def test_a_rule_by_prefix_list_keeps_its_description(network, ec2):
    lists = ec2.describe_managed_prefix_lists()["PrefixLists"]
    s3 = next(one["PrefixListId"] for one in lists if one["PrefixListName"].endswith(".s3"))
    ec2.authorize_security_group_egress(
        GroupId=network.group,
        IpPermissions=[_permission(PrefixListIds=[{"PrefixListId": s3, "Description": "S3"}])],
    )
    (rule,) = [r for r in _rules(ec2, network.group) if r.get("PrefixListId")]
    assert (rule["PrefixListId"], rule["Description"]) == (s3, "S3")


def test_a_rule_without_a_description_has_none(network, ec2, other):
    ec2.authorize_security_group_ingress(
        GroupId=network.group, IpPermissions=[_permission(UserIdGroupPairs=[{"GroupId": other}])]
    )
    (rule,) = [r for r in _rules(ec2, network.group) if not r["IsEgress"]]
    assert not rule.get("Description")


def test_a_rule_can_be_revoked_by_its_id(network, ec2, other):
    pair = {"GroupId": other, "Description": "clients"}
    made = ec2.authorize_security_group_ingress(
        GroupId=network.group, IpPermissions=[_permission(UserIdGroupPairs=[pair])]
    )["SecurityGroupRules"]
    ec2.revoke_security_group_ingress(
        GroupId=network.group, SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]]
    )
    assert [r for r in _rules(ec2, network.group) if not r["IsEgress"]] == []


def test_a_group_in_use_cannot_be_deleted(network, ec2, other):
    instance = network.launch()
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=network.group)
    ec2.authorize_security_group_ingress(
        GroupId=network.group, IpPermissions=[_permission(UserIdGroupPairs=[{"GroupId": other}])]
    )
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=other)

    network.terminate(instance)
    ec2.delete_security_group(GroupId=network.group)
    ec2.delete_security_group(GroupId=other)
