"""Tokens of pulumi-aws, and the Terraform type behind each."""

from collections.abc import Mapping
from typing import Final

from lab.engine.model import RefusedError

RESOURCES: Final[Mapping[str, str]] = {
    "aws:autoscaling/group:Group": "aws_autoscaling_group",
    "aws:autoscaling/lifecycleHook:LifecycleHook": "aws_autoscaling_lifecycle_hook",
    "aws:cloudwatch/logGroup:LogGroup": "aws_cloudwatch_log_group",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "aws_cloudwatch_metric_alarm",
    "aws:ebs/volume:Volume": "aws_ebs_volume",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "aws_default_security_group",
    "aws:ec2/eip:Eip": "aws_eip",
    "aws:ec2/flowLog:FlowLog": "aws_flow_log",
    "aws:ec2/instance:Instance": "aws_instance",
    "aws:ec2/internetGateway:InternetGateway": "aws_internet_gateway",
    "aws:ec2/launchTemplate:LaunchTemplate": "aws_launch_template",
    "aws:ec2/natGateway:NatGateway": "aws_nat_gateway",
    "aws:ec2/networkInterface:NetworkInterface": "aws_network_interface",
    "aws:ec2/placementGroup:PlacementGroup": "aws_placement_group",
    "aws:ec2/route:Route": "aws_route",
    "aws:ec2/routeTable:RouteTable": "aws_route_table",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "aws_route_table_association",
    "aws:ec2/securityGroup:SecurityGroup": "aws_security_group",
    "aws:ec2/subnet:Subnet": "aws_subnet",
    "aws:ec2/subnetCidrReservation:SubnetCidrReservation": "aws_ec2_subnet_cidr_reservation",
    "aws:ec2/volumeAttachment:VolumeAttachment": "aws_volume_attachment",
    "aws:ec2/vpc:Vpc": "aws_vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "aws_vpc_endpoint",
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": (
        "aws_ec2_instance_connect_endpoint"
    ),
    "aws:iam/instanceProfile:InstanceProfile": "aws_iam_instance_profile",
    "aws:iam/role:Role": "aws_iam_role",
    "aws:iam/rolePolicy:RolePolicy": "aws_iam_role_policy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "aws_iam_role_policy_attachment",
    "aws:kms/alias:Alias": "aws_kms_alias",
    "aws:kms/key:Key": "aws_kms_key",
    "aws:lb/listener:Listener": "aws_lb_listener",
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:lb/targetGroup:TargetGroup": "aws_lb_target_group",
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": "aws_lb_target_group_attachment",
    "aws:s3/bucket:Bucket": "aws_s3_bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "aws_s3_bucket_lifecycle_configuration"
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": "aws_s3_object",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "aws_s3_bucket_ownership_controls",
    "aws:s3/bucketPolicy:BucketPolicy": "aws_s3_bucket_policy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "aws_s3_bucket_public_access_block",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "aws_s3_bucket_server_side_encryption_configuration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": "aws_s3_bucket_versioning",
    "aws:sns/topic:Topic": "aws_sns_topic",
    "aws:sns/topicSubscription:TopicSubscription": "aws_sns_topic_subscription",
    "aws:ssm/parameter:Parameter": "aws_ssm_parameter",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        "aws_vpc_security_group_egress_rule"
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        "aws_vpc_security_group_ingress_rule"
    ),
}

FUNCTIONS: Final[Mapping[str, str]] = {
    "aws:ec2/getAmi:getAmi": "aws_ami",
    "aws:ec2/getInstanceType:getInstanceType": "aws_ec2_instance_type",
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": "aws_ec2_instance_type_offerings",
    "aws:ec2/getRouteTable:getRouteTable": "aws_route_table",
    "aws:ec2/getSubnet:getSubnet": "aws_subnet",
    "aws:ec2/getSubnets:getSubnets": "aws_subnets",
    "aws:ec2/getVpc:getVpc": "aws_vpc",
    "aws:iam/getPolicyDocument:getPolicyDocument": "aws_iam_policy_document",
    "aws:index/getAvailabilityZones:getAvailabilityZones": "aws_availability_zones",
    "aws:index/getCallerIdentity:getCallerIdentity": "aws_caller_identity",
    "aws:index/getPartition:getPartition": "aws_partition",
    "aws:index/getRegion:getRegion": "aws_region",
    "aws:ssm/getParameter:getParameter": "aws_ssm_parameter",
    "aws:ssm/getParametersByPath:getParametersByPath": "aws_ssm_parameters_by_path",
}


class UnknownTokenError(RefusedError):
    """The program uses a type that the stand-in's table does not hold."""

    def __init__(self, token: str) -> None:
        super().__init__(
            f"{token} is not in the table lab/engine/aws/tokens.py of the AWS provider stand-in: "
            "add it there with its Terraform type, or install Pulumi's official AWS plugin"
        )


def resource_type(token: str) -> str:
    """The Terraform resource type of a token; raises UnknownTokenError."""
    try:
        return RESOURCES[token]
    except KeyError:
        raise UnknownTokenError(token) from None


def data_source_type(token: str) -> str:
    """The Terraform data source of a function token; raises UnknownTokenError."""
    try:
        return FUNCTIONS[token]
    except KeyError:
        raise UnknownTokenError(token) from None
