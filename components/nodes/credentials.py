"""NodeCredentials: everything that proves who a node is, to the cluster and to AWS."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.nodes.foundation import Foundation
from components.nodes.instance_role import InstanceRole, InstanceRoleArgs
from components.nodes.secrets import NodeSecrets, NodeSecretsArgs
from components.pki.certificates import CertificateSpec
from components.pki.leaf_certificate import LeafCertificate, LeafCertificateArgs


@dataclass(frozen=True, kw_only=True)
class NodeCredentialsArgs:
    """What NodeCredentials are built from."""

    foundation: Foundation
    """What all nodes share."""
    node: str
    """Name of the node."""
    leaves: tuple[CertificateSpec, ...]
    """Its certificates."""
    files: Mapping[str, pulumi.Input[str]]
    """Its other files."""
    policy: pulumi.Input[str]
    """What its role may do."""


class NodeCredentials(pulumi.ComponentResource):
    """A node's certificates, its files in Parameter Store, and its role."""

    instance_profile_name: pulumi.Output[str]
    """Name of the instance profile."""

    def __init__(
        self, name: str, args: NodeCredentialsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:NodeCredentials", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        foundation = args.foundation
        files = dict(args.files)
        for spec in args.leaves:
            leaf = LeafCertificate(
                f"{name}-{spec.file}",
                LeafCertificateArgs(
                    spec=spec,
                    authority=foundation.pki.authorities[spec.authority],
                    lifetime=foundation.settings.pki,
                ),
                child,
            )
            files |= {f"{spec.file}.crt": leaf.cert_pem, f"{spec.file}.key": leaf.key_pem}
        NodeSecrets(
            name,
            NodeSecretsArgs(
                path=foundation.paths.secrets(args.node),
                files=files,
                key_arn=foundation.key_arn,
                tags=foundation.tags,
            ),
            child,
        )
        identity = InstanceRole(
            name, InstanceRoleArgs(policy=args.policy, tags=foundation.tags), child
        )
        self.instance_profile_name = identity.instance_profile_name
        self.register_outputs({"instance_profile_name": self.instance_profile_name})
