"""NodeSecrets: what only one node may read, a SecureString for each file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.tags import named


@dataclass(frozen=True, kw_only=True)
class NodeSecretsArgs:
    """What NodeSecrets are built from."""

    path: str
    """Path in Parameter Store that the files lie under."""
    files: Mapping[str, pulumi.Input[str]]
    """Content by file name."""
    kms_key_arn: pulumi.Input[str]
    """KMS key that encrypts them."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class NodeSecrets(pulumi.ComponentResource):
    """The files of a node in Parameter Store; a change reaches the node without replacing it."""

    def __init__(
        self, name: str, args: NodeSecretsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:NodeSecrets", name, {}, opts)
        for file, content in args.files.items():
            parameter_name = f"{name}-{file}"
            aws.ssm.Parameter(
                parameter_name,
                name=f"{args.path}/{file}",
                type="SecureString",
                # Standard parameters hold 4 KB, several times the largest file here, for free.
                tier="Standard",
                key_id=args.kms_key_arn,
                value=pulumi.Output.secret(content),
                tags=named(args.tags, parameter_name),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
