"""Arguments of `aws.ec2.Instance` that every node has in common."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.tags import named

ROOT_VOLUME_GIB = 20

REPLACE_ON_CHANGES = ["instanceType"]
"""What the provider would change on an instance that it stops and starts: an outage that no gate is
asked about, because gates stand before deletions."""


def root_disk(
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


def metadata_options() -> aws.ec2.InstanceMetadataOptionsArgs:
    """IMDSv2 only, and one hop: nothing behind a bridge can take the node's role."""
    return aws.ec2.InstanceMetadataOptionsArgs(
        http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
    )
