"""EtcdNode: instance, address, data volume and credentials of one etcd member."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.lookups.cluster_record import record_parameter
from components.naming import EtcdMember
from components.nodes.instance import NodeArgs, node_instance
from components.nodes.node_credentials import NodeCredentials, NodeCredentialsArgs
from components.nodes.status_parameter import status_parameter
from components.pki.authorities import CertificateAuthority
from components.pki.certificates import member_certificates
from components.tags import named
from config.etcd import DataVolume

DATA_DEVICE = "/dev/sdf"
"""A name for the API only: Nitro instances show the volume under its id."""


@dataclass(frozen=True, kw_only=True)
class EtcdNodeArgs(NodeArgs):
    """What an EtcdNode is built from, besides what every node is.

    The gates hold back instance and data volume.
    """

    member: EtcdMember
    """Name, zone and address."""
    data_volume: DataVolume
    """Size, IOPS and throughput of the data volume."""
    ca: CertificateAuthority
    """The CA of the etcd tier, which signs the member's certificates."""
    user_data: Callable[[pulumi.Output[str]], pulumi.Output[str]]
    """Encoded user data, from the id of the data volume."""


class EtcdNode(pulumi.ComponentResource):
    """One etcd member. Its data volume outlives its instance, which keeps address and name."""

    instance: aws.ec2.Instance
    """The instance."""
    attachment: aws.ec2.VolumeAttachment
    """The data volume in the instance; without it the member is not up."""

    def __init__(
        self, name: str, args: EtcdNodeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:EtcdNode", name, {}, opts)
        member = args.member.name
        status = status_parameter(name, node=member, paths=args.paths, tags=args.tags, parent=self)
        zone = record_parameter(
            name, member, args.member.zone, paths=args.paths, tags=args.tags, parent=self
        )
        credentials = NodeCredentials(
            name,
            NodeCredentialsArgs(
                path=args.paths.secrets(member),
                certificates=member_certificates(args.member),
                authorities={"etcd": args.ca},
                lifetime=args.lifetime,
                files={"ca.crt": args.ca.cert_pem},
                kms_key_arn=args.kms_key_arn,
                policy=args.policy,
                tags=args.tags,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        volume = self._data_volume(args, [status, zone])
        self.instance = node_instance(
            name,
            args,
            instance_profile=credentials.instance_profile_name,
            user_data=args.user_data(volume.id),
            hooks=args.gates.member,
            depends_on=[credentials, status, zone],
            parent=self,
            private_ip=str(args.member.address),
            # The address and the disk are free for the successor only once this one is gone.
            delete_before_replace=True,
        )
        self.attachment = aws.ec2.VolumeAttachment(
            f"{name}-data",
            device_name=DATA_DEVICE,
            volume_id=volume.id,
            instance_id=self.instance.id,
            # Detached under a running etcd the file system would be cut off mid-write.
            stop_instance_before_detaching=True,
            opts=pulumi.ResourceOptions(
                parent=self, delete_before_replace=True, hooks=args.gates.member
            ),
        )
        args.gates.declare_current(volume, self.instance, self.attachment)
        self.register_outputs({"instanceId": self.instance.id})

    def _data_volume(
        self, args: EtcdNodeArgs, parameters: Sequence[aws.ssm.Parameter]
    ) -> aws.ebs.Volume:
        name = f"{self.pulumi_resource_name}-data"
        return aws.ebs.Volume(
            name,
            availability_zone=args.member.zone,
            type="gp3",
            size=args.data_volume.size_gib,
            iops=args.data_volume.iops,
            throughput=args.data_volume.throughput,
            encrypted=True,
            kms_key_id=args.kms_key_arn,
            tags=named(args.tags, name),
            # A gate rather than `protect`, which would also keep the disk of a member that left.
            # It reads the report, so the report must not be deleted before the disk; nor must the
            # zone, which is the member's as long as it has a disk there.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=list(parameters), hooks=args.gates.disk
            ),
        )
