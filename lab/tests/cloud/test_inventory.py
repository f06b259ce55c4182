"""The inventory sees every kind, and nothing that AWS itself puts into an account."""

import json

import pytest

from lab.cloud import aws_environment, emulator_server, inventory


@pytest.fixture
def server(tmp_path):
    """An account of its own, since this test counts everything."""
    running = emulator_server.start(tmp_path, port=0)
    yield running
    running.stop()


def _fill(account):  # noqa: PLR0915 - one line per kind of resource
    """One of each kind; gives back what deletes it all."""
    ec2, iam, kms, ssm = account("ec2"), account("iam"), account("kms"), account("ssm")
    elb, s3, sns, logs = account("elbv2"), account("s3"), account("sns"), account("logs")
    watch, scaling = account("cloudwatch"), account("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zone = "eu-central-1a"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=zone)
    subnet = subnet["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    nat = nat["NatGatewayId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.eu-central-1.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[table],
    )["VpcEndpoint"]["VpcEndpointId"]
    connect = ec2.create_instance_connect_endpoint(SubnetId=subnet)["InstanceConnectEndpoint"]
    connect = connect["InstanceConnectEndpointId"]
    group = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc)["GroupId"]
    ec2.create_placement_group(GroupName="etcd", Strategy="spread")
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1, Encrypted=True)["VolumeId"]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    instance = ec2.run_instances(
        ImageId=image, InstanceType="t3.small", MinCount=1, MaxCount=1, SubnetId=subnet
    )["Instances"][0]["InstanceId"]
    load_balancer = elb.create_load_balancer(Name="api", Type="network", Subnets=[subnet])
    load_balancer = load_balancer["LoadBalancers"][0]["LoadBalancerArn"]
    targets = elb.create_target_group(Name="api", Protocol="TCP", Port=6443, VpcId=vpc)
    targets = targets["TargetGroups"][0]["TargetGroupArn"]
    statement = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="node", AssumeRolePolicyDocument=document)
    iam.create_instance_profile(InstanceProfileName="node")
    policy = iam.create_policy(PolicyName="node", PolicyDocument=document)["Policy"]["Arn"]
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/cluster", TargetKeyId=key)
    ssm.put_parameter(Name="/cluster/members", Value="3", Type="String")
    s3.create_bucket(
        Bucket="snapshots", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    ec2.create_launch_template(
        LaunchTemplateName="pool", LaunchTemplateData={"InstanceType": "t3.small", "ImageId": image}
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="pool",
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=subnet,
        LaunchTemplate={"LaunchTemplateName": "pool"},
    )
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    logs.create_log_group(logGroupName="nodes")
    flow_logs = ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="ALL",
        LogGroupName="nodes",
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/node",
    )["FlowLogIds"]
    watch.put_metric_alarm(
        AlarmName="unhealthy",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="UnHealthyHostCount",
        Namespace="AWS/NetworkELB",
        Period=60,
        Statistic="Maximum",
        Threshold=0,
    )

    def empty():
        scaling.delete_auto_scaling_group(AutoScalingGroupName="pool")
        ec2.delete_launch_template(LaunchTemplateName="pool")
        watch.delete_alarms(AlarmNames=["unhealthy"])
        ec2.delete_flow_logs(FlowLogIds=flow_logs)
        logs.delete_log_group(logGroupName="nodes")
        sns.delete_topic(TopicArn=topic)
        s3.delete_bucket(Bucket="snapshots")
        ssm.delete_parameter(Name="/cluster/members")
        kms.delete_alias(AliasName="alias/cluster")
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        iam.delete_policy(PolicyArn=policy)
        iam.delete_instance_profile(InstanceProfileName="node")
        iam.delete_role(RoleName="node")
        elb.delete_load_balancer(LoadBalancerArn=load_balancer)
        elb.delete_target_group(TargetGroupArn=targets)
        ec2.terminate_instances(InstanceIds=[instance])
        ec2.delete_volume(VolumeId=volume)
        ec2.delete_placement_group(GroupName="etcd")
        ec2.delete_security_group(GroupId=group)
        ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=connect)
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
        ec2.delete_nat_gateway(NatGatewayId=nat)
        ec2.release_address(AllocationId=address)
        ec2.delete_internet_gateway(InternetGatewayId=gateway)
        ec2.delete_route_table(RouteTableId=table)
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)

    return empty


def test_every_kind_is_seen_and_an_emptied_account_is_empty(server):
    session = aws_environment.session()
    assert server.inventory() == {}

    empty = _fill(lambda service: session.client(service, endpoint_url=server.endpoint))

    found = server.inventory()
    assert set(found) == set(server.control.inventory())
    assert {label: len(names) for label, names in found.items() if len(names) > 1} == {
        "network interface": 4,  # of instance, gateway, connect endpoint and load balancer
        "volume": 2,  # the data volume and the instance's root
    }
    assert found["parameter"] == ["/cluster/members"]

    empty()
    assert server.inventory() == {}


def test_the_summary_counts():
    assert inventory.summary({}) == "nothing"
    assert (
        inventory.summary(
            {"alias": ["a", "b"], "key": ["1", "2"], "policy": ["x", "y"], "VPC": ["v"]}
        )
        == "2 aliases, 2 keys, 2 policies, 1 VPC"
    )
