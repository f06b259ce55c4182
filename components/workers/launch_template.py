"""Launch template of a pool: how each of its machines is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.tags import named
from components.workers.pod_capacity import PodCapacity


@dataclass(frozen=True, kw_only=True)
class LaunchTemplateArgs:
    """What the launch template of a pool is made from."""

    image_id: pulumi.Input[str]
    """Machine image."""
    root_device: str
    """Name of the image's root device, which a mapping has to name."""
    disk_gib: int
    """Size of the root volume."""
    instance_type: str
    """Instance type."""
    instance_profile: pulumi.Input[str]
    """Name of the pool's instance profile."""
    security_group_id: pulumi.Input[str]
    """Security group of the workers."""
    kms_key_arn: pulumi.Input[str]
    """KMS key of the root volume."""
    user_data: pulumi.Input[str]
    """Encoded user data."""
    capacity: PodCapacity
    """Prefixes that pods have their addresses from."""
    spot: bool
    """Spot instances."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of the template, and of what comes with a machine."""


def launch_template(
    name: str, args: LaunchTemplateArgs, opts: pulumi.ResourceOptions
) -> aws.ec2.LaunchTemplate:
    """The template; each change of it is a version more."""
    return aws.ec2.LaunchTemplate(
        name,
        image_id=args.image_id,
        instance_type=args.instance_type,
        iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(
            name=args.instance_profile
        ),
        network_interfaces=[_interface(args)],
        block_device_mappings=[_root_disk(args)],
        # IMDSv2 only, and one hop: pods are one hop further and cannot take the worker's role.
        metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        instance_market_options=aws.ec2.LaunchTemplateInstanceMarketOptionsArgs(market_type="spot")
        if args.spot
        else None,
        user_data=args.user_data,
        tag_specifications=_tag_specifications(name, args),
        update_default_version=True,
        tags=named(args.tags, name),
        opts=opts,
    )


def _interface(args: LaunchTemplateArgs) -> aws.ec2.LaunchTemplateNetworkInterfaceArgs:
    return aws.ec2.LaunchTemplateNetworkInterfaceArgs(
        device_index=0,
        security_groups=[args.security_group_id],
        # EC2 refuses to have none asked for.
        ipv4_prefix_count=args.capacity.prefixes or None,
        delete_on_termination="true",
    )


def _root_disk(args: LaunchTemplateArgs) -> aws.ec2.LaunchTemplateBlockDeviceMappingArgs:
    """An encrypted gp3 root volume, deleted with its instance: it holds nothing to keep."""
    return aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
        device_name=args.root_device,
        ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
            volume_type="gp3",
            volume_size=args.disk_gib,
            encrypted="true",
            kms_key_id=args.kms_key_arn,
            delete_on_termination="true",
        ),
    )


def _tag_specifications(
    name: str, args: LaunchTemplateArgs
) -> list[aws.ec2.LaunchTemplateTagSpecificationArgs]:
    """Tags of what comes with an instance; the instance has those that its group hands on."""
    tags = {"volume": named(args.tags, f"{name}-root"), "network-interface": named(args.tags, name)}
    if args.spot:
        tags["spot-instances-request"] = named(args.tags, name)
    return [
        aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=resource, tags=values)
        for resource, values in tags.items()
    ]
