"""EtcdNode: instance, address, data volume and credentials of one etcd member."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.lookups.cluster_record import record_parameter
from components.naming import EtcdMember
from components.nodes.credentials import NodeCredentials, NodeCredentialsArgs
from components.nodes.foundation import Foundation
from components.nodes.instance import REPLACE_ON_CHANGES, metadata_options, root_disk
from components.nodes.role_policy import etcd_node_policy
from components.nodes.status import status_parameter
from components.pki.certificates import member_certificates
from components.tags import named
from components.userdata import encode, etcd_member

DATA_DEVICE = "/dev/sdf"
"""A name for the API only: Nitro instances show the volume under its id."""


@dataclass(frozen=True, kw_only=True)
class EtcdNodeArgs:
    """What an EtcdNode is built from."""

    foundation: Foundation
    """What all nodes share."""
    member: EtcdMember
    """Name, zone and address."""
    group_id: pulumi.Input[str]
    """Security group."""
    placement_group: pulumi.Input[str]
    """Spread placement group of the tier."""
    after: Sequence[pulumi.Resource]
    """What must be there before this machine boots, the member before it included."""


class EtcdNode(pulumi.ComponentResource):
    """One etcd member. Its disk outlives its machine, which keeps address and name."""

    instance: aws.ec2.Instance
    """The machine."""
    attachment: aws.ec2.VolumeAttachment
    """The disk in the machine; without it the member is not up."""

    def __init__(
        self, name: str, args: EtcdNodeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:EtcdNode", name, {}, opts)
        self._name, self._args = name, args
        status = status_parameter(
            name,
            node=args.member.name,
            paths=args.foundation.paths,
            tags=args.foundation.tags,
            parent=self,
        )
        zone = record_parameter(
            name,
            args.member.name,
            args.member.zone,
            paths=args.foundation.paths,
            tags=args.foundation.tags,
            parent=self,
        )
        volume = self._data_volume(status, zone)
        self.instance = self._instance(volume, self._credentials(), [status, zone])
        self.attachment = aws.ec2.VolumeAttachment(
            f"{name}-data",
            device_name=DATA_DEVICE,
            volume_id=volume.id,
            instance_id=self.instance.id,
            # Detached under a running etcd the file system would be cut off mid-write.
            stop_instance_before_detaching=True,
            opts=pulumi.ResourceOptions(
                parent=self, delete_before_replace=True, hooks=args.foundation.gates.member
            ),
        )
        args.foundation.gates.declare_current(volume, self.instance, self.attachment)
        self.register_outputs({"instance_id": self.instance.id})

    def _credentials(self) -> NodeCredentials:
        foundation, member = self._args.foundation, self._args.member
        policy = pulumi.Output.all(foundation.key_arn, foundation.bucket.arn).apply(
            lambda arns: etcd_node_policy(
                member.name,
                foundation.paths,
                foundation.environment.account,
                key_arn=arns[0],
                bucket_arn=arns[1],
            )
        )
        return NodeCredentials(
            self._name,
            NodeCredentialsArgs(
                foundation=foundation,
                node=member.name,
                leaves=member_certificates(member),
                files={"ca.crt": foundation.pki.authorities["etcd"].cert_pem},
                policy=policy,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _data_volume(self, status: aws.ssm.Parameter, zone: aws.ssm.Parameter) -> aws.ebs.Volume:
        foundation = self._args.foundation
        wanted = foundation.settings.etcd.data_volume
        return aws.ebs.Volume(
            f"{self._name}-data",
            availability_zone=self._args.member.zone,
            type="gp3",
            size=wanted.size_gib,
            iops=wanted.iops,
            throughput=wanted.throughput,
            encrypted=True,
            kms_key_id=foundation.key_arn,
            tags=named(foundation.tags, f"{self._name}-data"),
            # A gate rather than `protect`, which would also keep the disk of a member that left.
            # It reads the report, so the report must not be deleted before the disk; nor must the
            # zone, which is the member's as long as it has a disk there.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[status, zone], hooks=foundation.gates.disk
            ),
        )

    def _instance(
        self,
        volume: aws.ebs.Volume,
        credentials: NodeCredentials,
        parameters: Sequence[aws.ssm.Parameter],
    ) -> aws.ec2.Instance:
        args, foundation, member = self._args, self._args.foundation, self._args.member
        settings = foundation.settings
        user_data = pulumi.Output.all(volume.id, foundation.bucket.bucket_name).apply(
            lambda known: encode(
                etcd_member(
                    settings,
                    member,
                    region=foundation.environment.account.region,
                    volume_id=known[0],
                    bucket=known[1],
                )
            )
        )
        return aws.ec2.Instance(
            self._name,
            ami=foundation.environment.image_id,
            instance_type=settings.instance_type(settings.etcd.instance_type),
            subnet_id=foundation.subnets.etcd[member.zone],
            private_ip=str(member.address),
            vpc_security_group_ids=[args.group_id],
            iam_instance_profile=credentials.instance_profile_name,
            placement_group=args.placement_group,
            root_block_device=root_disk(self._name, foundation.key_arn, foundation.tags),
            metadata_options=metadata_options(),
            user_data_base64=user_data,
            user_data_replace_on_change=True,
            tags=named(foundation.tags, self._name),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args.after, credentials, *parameters],
                # The address and the disk are free for the successor only once this one is gone.
                delete_before_replace=True,
                hooks=foundation.gates.member,
                replace_on_changes=REPLACE_ON_CHANGES,
            ),
        )
