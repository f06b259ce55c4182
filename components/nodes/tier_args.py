"""Arguments that the tiers of nodes have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.nodes.role_policy import Account
from config import ClusterSettings


@dataclass(frozen=True, kw_only=True)
class TierArgs:
    """What a tier of nodes is built from, whatever its nodes run."""

    settings: ClusterSettings
    """The cluster's settings: instance types, versions, timings."""
    account: Account
    """Account and region."""
    image_id: pulumi.Input[str]
    """Machine image."""
    subnet_ids: Mapping[str, pulumi.Input[str]]
    """The tier's subnet of each zone."""
    security_group_id: pulumi.Input[str]
    """Security group of the nodes."""
    kms_key_arn: pulumi.Input[str]
    """KMS key of volumes, files and snapshots."""
    bucket_name: pulumi.Input[str]
    """Bucket of the snapshots and of the node agent."""
    bucket_arn: pulumi.Input[str]
    """ARN of the bucket."""
    depends_on: Sequence[pulumi.Resource] = ()
    """What must be there before an instance boots: routes, rules, endpoints, the node agent."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""
