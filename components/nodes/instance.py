"""Instance of a node: what those of every tier have in common, arguments and resource."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.gates import Gates
from components.naming import ParameterPaths
from components.tags import named
from config.cluster_settings import PkiSettings

ROOT_VOLUME_GIB = 20

REPLACE_ON_CHANGES = ["instanceType"]
"""What the provider would change on an instance that it stops and starts: an outage that no gate is
asked about, because gates stand before deletions."""


@dataclass(frozen=True, kw_only=True)
class NodeArgs:
    """What a node of either tier is built from."""

    paths: ParameterPaths
    """Where the node reads and reports."""
    subnet_id: pulumi.Input[str]
    """The tier's subnet in the node's zone."""
    security_group_id: pulumi.Input[str]
    """Security group of the tier."""
    placement_group: pulumi.Input[str]
    """Spread placement group of the tier."""
    image_id: pulumi.Input[str]
    """Machine image."""
    instance_type: pulumi.Input[str]
    """Instance type."""
    kms_key_arn: pulumi.Input[str]
    """KMS key of the node's volumes and files."""
    lifetime: PkiSettings
    """Days of validity, and the epoch of the certificates."""
    policy: pulumi.Input[str]
    """What the node's role may do, as a policy document."""
    gates: Gates
    """What holds back the node's resources while the tier cannot spare them."""
    depends_on: Sequence[pulumi.Resource]
    """What must be there before the instance boots, the node before it included."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


def node_instance(
    name: str,
    args: NodeArgs,
    *,
    instance_profile: pulumi.Input[str],
    user_data: pulumi.Input[str],
    hooks: pulumi.ResourceHookBinding | None,
    depends_on: Sequence[pulumi.Resource],
    parent: pulumi.Resource,
    private_ip: str | None = None,
    delete_before_replace: bool | None = None,
) -> aws.ec2.Instance:
    """The instance of a node, which also waits for the node's own resources in `depends_on`."""
    return aws.ec2.Instance(
        name,
        ami=args.image_id,
        instance_type=args.instance_type,
        subnet_id=args.subnet_id,
        private_ip=private_ip,
        vpc_security_group_ids=[args.security_group_id],
        iam_instance_profile=instance_profile,
        placement_group=args.placement_group,
        root_block_device=_root_disk(name, args.kms_key_arn, args.tags),
        # IMDSv2 only, and one hop: nothing behind a bridge can take the node's role.
        metadata_options=aws.ec2.InstanceMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        user_data_base64=user_data,
        user_data_replace_on_change=True,
        tags=named(args.tags, name),
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=[*args.depends_on, *depends_on],
            delete_before_replace=delete_before_replace,
            hooks=hooks,
            replace_on_changes=REPLACE_ON_CHANGES,
        ),
    )


def _root_disk(
    name: str, key_arn: pulumi.Input[str], tags: Mapping[str, str]
) -> aws.ec2.InstanceRootBlockDeviceArgs:
    """An encrypted gp3 root volume, deleted with its instance: it holds nothing to keep.

    It carries the cluster's tags, which bills and policies ask for. `volume_tags` of the instance
    would also tag the data volume, which is a resource of its own.
    """
    return aws.ec2.InstanceRootBlockDeviceArgs(
        volume_type="gp3",
        volume_size=ROOT_VOLUME_GIB,
        encrypted=True,
        kms_key_id=key_arn,
        delete_on_termination=True,
        tags=named(tags, f"{name}-root"),
    )
