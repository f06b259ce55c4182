"""Foundation: what the nodes of both tiers are built from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.gates import Gates
from components.lookups.aws_context import AwsContext
from components.naming import ParameterPaths
from components.network.vpc import Subnets
from components.pki.authorities import ClusterPki
from components.storage.bucket import ClusterBucket
from config import ClusterSettings


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """The settings, the surroundings and the shared resources of a cluster."""

    settings: ClusterSettings
    """The stack's configuration."""
    environment: AwsContext
    """Account, zones and image."""
    paths: ParameterPaths
    """Where nodes read and report."""
    subnets: Subnets
    """Where machines live."""
    pki: ClusterPki
    """Who signs their certificates."""
    key_arn: pulumi.Output[str]
    """KMS key of secrets, disks and snapshots."""
    bucket: ClusterBucket
    """Snapshots, and the node agent."""
    boot_after: Sequence[pulumi.Resource]
    """What a machine needs to be there when it boots: routes, rules, endpoints, its program."""
    gates: Gates
    """What holds back a machine, a disk or a target that the cluster cannot spare."""
    tags: Mapping[str, str]
    """Tags of every resource."""
