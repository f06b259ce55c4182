"""A recovery finds in AWS what was being created, that and nothing else."""

import pytest

from recovery.lookups import LOOKUPS
from recovery.recovery_error import RecoveryError

INSTANCE = "aws:ec2/instance:Instance"
CONNECT = "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint"


def _tags(kind, tags):
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": listed}]}


def _find(aws, kind, **inputs):
    return LOOKUPS[kind](aws, inputs)


def test_a_machine_is_found_by_all_its_tags_while_it_lives(aws, network):
    tags = {"Name": f"etcd-{network.vpc}", "cluster": "prod"}
    instance = network.launch(**_tags("instance", tags))
    network.launch(**_tags("instance", {**tags, "cluster": "test"}))
    assert _find(aws, INSTANCE, tags=tags) == [instance["InstanceId"]]
    network.terminate(instance)
    assert _find(aws, INSTANCE, tags=tags) == []


def test_a_name_is_no_pattern(aws, network):
    network.launch(**_tags("instance", {"Name": f"star-{network.vpc}"}))
    assert _find(aws, INSTANCE, tags={"Name": f"st*r-{network.vpc}"}) == []


@pytest.mark.parametrize("tags", [None, {}, {"cluster": "prod"}])
def test_what_has_no_name_is_an_error_and_not_absent(aws, tags):
    with pytest.raises(RecoveryError, match="no tag Name"):
        _find(aws, INSTANCE, tags=tags)


def test_an_instance_connect_endpoint_is_found(aws, network):
    tags = {"Name": f"connect-{network.vpc}"}
    ec2 = aws("ec2")
    made = ec2.create_instance_connect_endpoint(
        SubnetId=network.subnet, **_tags("instance-connect-endpoint", tags)
    )["InstanceConnectEndpoint"]["InstanceConnectEndpointId"]
    assert _find(aws, CONNECT, tags=tags) == [made]
    ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=made)
    assert _find(aws, CONNECT, tags=tags) == []


def test_a_key_that_waits_for_its_deletion_is_not_found(aws, network):
    kms, tags = aws("kms"), {"Name": network.vpc}
    kind = "aws:kms/key:Key"
    made = kms.create_key(Tags=[{"TagKey": "Name", "TagValue": network.vpc}])
    key = made["KeyMetadata"]["KeyId"]
    assert _find(aws, kind, tags=tags) == [key]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert _find(aws, kind, tags=tags) == []


def test_a_rule_is_found_by_what_aws_compares(aws, network):
    inputs = {
        "securityGroupId": network.group,
        "ipProtocol": "tcp",
        "fromPort": 2379,
        "toPort": 2379.0,
        "referencedSecurityGroupId": network.group,
    }
    ingress = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    egress = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    assert _find(aws, ingress, **inputs) == []
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 2379,
        "ToPort": 2379,
        "UserIdGroupPairs": [{"GroupId": network.group}],
    }
    made = aws("ec2").authorize_security_group_ingress(GroupId=network.group, IpPermissions=[rule])[
        "SecurityGroupRules"
    ]
    found = _find(aws, ingress, **inputs)
    assert found == [made[0]["SecurityGroupRuleId"]]
    assert _find(aws, ingress, **{**inputs, "toPort": 2380}) == []
    assert _find(aws, egress, **inputs) == []


def test_a_launch_template_and_its_group_are_found(aws, network):
    tags = {"Name": f"workers-{network.vpc}"}
    template = aws("ec2").create_launch_template(
        LaunchTemplateName=f"template-{network.vpc}",
        LaunchTemplateData={"ImageId": network.image, "InstanceType": "t3.medium"},
        **_tags("launch-template", tags),
    )["LaunchTemplate"]["LaunchTemplateId"]
    assert _find(aws, "aws:ec2/launchTemplate:LaunchTemplate", tags=tags) == [template]
    scaling, name = aws("autoscaling"), f"group-{network.vpc}"
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
        MinSize=0,
        MaxSize=0,
        VPCZoneIdentifier=network.subnet,
    )
    assert _find(aws, "aws:autoscaling/group:Group", name=name) == [name]
    scaling.delete_auto_scaling_group(AutoScalingGroupName=name)
    assert _find(aws, "aws:autoscaling/group:Group", name=name) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("aws:autoscaling/group:Group", "name"),
        ("aws:ec2/placementGroup:PlacementGroup", "name"),
        ("aws:iam/instanceProfile:InstanceProfile", "name"),
        ("aws:iam/role:Role", "name"),
        ("aws:lb/loadBalancer:LoadBalancer", "name"),
        ("aws:lb/targetGroup:TargetGroup", "name"),
        ("aws:s3/bucket:Bucket", "bucket"),
        ("aws:ssm/parameter:Parameter", "name"),
        ("aws:cloudwatch/logGroup:LogGroup", "name"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "name"),
        ("aws:kms/alias:Alias", "name"),
        ("aws:sns/topic:Topic", "name"),
    ],
)
def test_what_aws_does_not_have_is_absent(aws, kind, name):
    value = "alias/nobody" if "alias" in kind else "nobody"
    assert _find(aws, kind, **{name: value}) == []
    with pytest.raises(RecoveryError, match="is not known"):
        _find(aws, kind)


def test_a_load_balancer_and_a_log_group_are_found_by_name(aws, network):
    made = aws("elbv2").create_load_balancer(
        Name="recovery", Type="network", Scheme="internal", Subnets=[network.subnet]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    assert _find(aws, "aws:lb/loadBalancer:LoadBalancer", name="recovery") == [made]
    aws("logs").create_log_group(logGroupName="recovery-longer")
    aws("logs").create_log_group(logGroupName="recovery")
    assert _find(aws, "aws:cloudwatch/logGroup:LogGroup", name="recovery") == ["recovery"]
