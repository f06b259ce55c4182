"""NodeCredentials: everything that proves who a node is, to the cluster and to AWS."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.nodes.instance_role import InstanceRole, InstanceRoleArgs
from components.nodes.secrets import NodeSecrets, NodeSecretsArgs
from components.pki.authorities import CertificateAuthority
from components.pki.certificates import Authority, CertificateSpec
from components.pki.leaf_certificate import LeafCertificate, LeafCertificateArgs
from config.cluster_settings import PkiSettings


@dataclass(frozen=True, kw_only=True)
class NodeCredentialsArgs:
    """What NodeCredentials are built from."""

    path: str
    """Path in Parameter Store under which the node's files are."""
    certificates: tuple[CertificateSpec, ...]
    """Its certificates."""
    authorities: Mapping[Authority, CertificateAuthority]
    """The CAs that sign them."""
    lifetime: PkiSettings
    """Days of validity, and the epoch of its certificates."""
    files: Mapping[str, pulumi.Input[str]]
    """Its other files, by name."""
    kms_key_arn: pulumi.Input[str]
    """KMS key that encrypts the files."""
    policy: pulumi.Input[str]
    """What its role may do, as a policy document."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class NodeCredentials(pulumi.ComponentResource):
    """A node's certificates, its files in Parameter Store, and its role."""

    instance_profile_name: pulumi.Output[str]
    """Name of the instance profile."""

    def __init__(
        self, name: str, args: NodeCredentialsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:NodeCredentials", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        files = dict(args.files)
        for spec in args.certificates:
            leaf = LeafCertificate(
                f"{name}-{spec.file}",
                LeafCertificateArgs(
                    spec=spec,
                    ca=args.authorities[spec.ca],
                    lifetime=args.lifetime,
                ),
                child,
            )
            files |= {f"{spec.file}.crt": leaf.cert_pem, f"{spec.file}.key": leaf.key_pem}
        NodeSecrets(
            name,
            NodeSecretsArgs(
                path=args.path, files=files, kms_key_arn=args.kms_key_arn, tags=args.tags
            ),
            child,
        )
        role = InstanceRole(name, InstanceRoleArgs(policy=args.policy, tags=args.tags), child)
        self.instance_profile_name = role.instance_profile_name
        self.register_outputs({"instanceProfileName": self.instance_profile_name})
