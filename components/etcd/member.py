"""EtcdNode: instance, address, data volume and credentials of one etcd member."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.gates import Gates
from components.lookups.cluster_record import record_parameter
from components.naming import EtcdMember, ParameterPaths
from components.nodes.instance import REPLACE_ON_CHANGES, metadata_options, root_disk
from components.nodes.node_credentials import NodeCredentials, NodeCredentialsArgs
from components.nodes.status_parameter import status_parameter
from components.pki.authorities import CertificateAuthority
from components.pki.certificates import member_certificates
from components.tags import named
from config.cluster_settings import PkiSettings
from config.etcd import DataVolume

DATA_DEVICE = "/dev/sdf"
"""A name for the API only: Nitro instances show the volume under its id."""


@dataclass(frozen=True, kw_only=True)
class EtcdNodeArgs:
    """What an EtcdNode is built from."""

    member: EtcdMember
    """Name, zone and address."""
    paths: ParameterPaths
    """Where the node reads and reports."""
    subnet_id: pulumi.Input[str]
    """The etcd subnet of the member's zone."""
    security_group_id: pulumi.Input[str]
    """Security group of the tier."""
    placement_group: pulumi.Input[str]
    """Spread placement group of the tier."""
    image_id: pulumi.Input[str]
    """Machine image."""
    instance_type: pulumi.Input[str]
    """Instance type."""
    data_volume: DataVolume
    """Size, IOPS and throughput of the data volume."""
    kms_key_arn: pulumi.Input[str]
    """KMS key of both volumes and of the node's files."""
    ca: CertificateAuthority
    """The CA of the etcd tier, which signs the member's certificates."""
    lifetime: PkiSettings
    """Days of validity, and the epoch of the certificates."""
    policy: pulumi.Input[str]
    """What the node's role may do, as a policy document."""
    user_data: Callable[[pulumi.Output[str]], pulumi.Output[str]]
    """Encoded user data, from the id of the data volume."""
    gates: Gates
    """What holds back the instance or the volume while the tier cannot spare it."""
    depends_on: Sequence[pulumi.Resource]
    """What must be there before the instance boots, the member before it included."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


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
        self.instance = self._instance(args, volume, credentials, [status, zone])
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

    def _instance(
        self,
        args: EtcdNodeArgs,
        volume: aws.ebs.Volume,
        credentials: NodeCredentials,
        parameters: Sequence[aws.ssm.Parameter],
    ) -> aws.ec2.Instance:
        name = self.pulumi_resource_name
        return aws.ec2.Instance(
            name,
            ami=args.image_id,
            instance_type=args.instance_type,
            subnet_id=args.subnet_id,
            private_ip=str(args.member.address),
            vpc_security_group_ids=[args.security_group_id],
            iam_instance_profile=credentials.instance_profile_name,
            placement_group=args.placement_group,
            root_block_device=root_disk(name, args.kms_key_arn, args.tags),
            metadata_options=metadata_options(),
            user_data_base64=args.user_data(volume.id),
            user_data_replace_on_change=True,
            tags=named(args.tags, name),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args.depends_on, credentials, *parameters],
                # The address and the disk are free for the successor only once this one is gone.
                delete_before_replace=True,
                hooks=args.gates.member,
                replace_on_changes=REPLACE_ON_CHANGES,
            ),
        )
