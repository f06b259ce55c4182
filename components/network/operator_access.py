"""Access for operators: an EC2 Instance Connect endpoint, or nothing."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.tags import named


def instance_connect(
    name: str,
    *,
    subnet_id: pulumi.Input[str],
    group_id: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ec2transitgateway.InstanceConnectEndpoint:
    """An endpoint that tunnels SSH for whom IAM allows, without a public address or a bastion.

    AWS allows one in a VPC, so it stands in the first zone and dies with it; access is for
    people, and no part of the cluster needs it.
    """
    endpoint_name = f"{name}-operator"
    return aws.ec2transitgateway.InstanceConnectEndpoint(
        endpoint_name,
        subnet_id=subnet_id,
        security_group_ids=[group_id],
        preserve_client_ip=False,
        tags=named(tags, endpoint_name),
        opts=pulumi.ResourceOptions(parent=parent),
    )
