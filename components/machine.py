"""What every instance has in common, as arguments of `aws.ec2.Instance`."""

import pulumi
import pulumi_aws as aws

ROOT_VOLUME_GIB = 20

REPLACING_CHANGES = ["instanceType"]
"""What the provider would change on a machine that it stops and starts: an outage that no gate is
asked about, because gates stand before deletions."""


def root_disk(key_arn: pulumi.Input[str]) -> aws.ec2.InstanceRootBlockDeviceArgs:
    """An encrypted gp3 root volume, deleted with its instance: it holds nothing to keep."""
    return aws.ec2.InstanceRootBlockDeviceArgs(
        volume_type="gp3",
        volume_size=ROOT_VOLUME_GIB,
        encrypted=True,
        kms_key_id=key_arn,
        delete_on_termination=True,
    )


def metadata_options() -> aws.ec2.InstanceMetadataOptionsArgs:
    """IMDSv2 only, and one hop: nothing behind a bridge can take the node's role."""
    return aws.ec2.InstanceMetadataOptionsArgs(
        http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
    )
