"""Parameters of workers: what they join with, and what the control plane keeps in Kubernetes."""

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.naming import ParameterPaths
from components.nodes.owned_parameter import NEVER_WRITTEN_AGAIN
from components.tags import named
from components.workers.cluster_document import cluster_document
from config import ClusterSettings


def worker_parameters(
    name: str,
    *,
    settings: ClusterSettings,
    ca_pem: pulumi.Input[str],
    key_arn: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """The parameters of a cluster with workers; none of a cluster without."""
    if not settings.workers:
        return []
    paths = ParameterPaths(settings.cluster_name)
    ca, addons = f"{name}-worker-ca", f"{name}-addons"
    return [
        _join_token(f"{name}-join-token", paths.join_token, key_arn, tags, parent),
        aws.ssm.Parameter(
            ca,
            name=paths.worker_ca,
            type="String",
            description="What workers verify the Kubernetes API with",
            value=ca_pem,
            tags=named(tags, ca),
            opts=pulumi.ResourceOptions(parent=parent),
        ),
        aws.ssm.Parameter(
            addons,
            name=paths.cluster_addons,
            type="String",
            description="What the control plane itself applies to Kubernetes",
            value=pulumi.Output.from_input(key_arn).apply(
                lambda arn: json.dumps(cluster_document(settings, key_arn=arn))
            ),
            tags=named(tags, addons),
            opts=pulumi.ResourceOptions(parent=parent),
        ),
    ]


def _join_token(
    name: str,
    path: str,
    key_arn: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ssm.Parameter:
    """The join token, empty. The cluster agent writes it, every hour another.

    Made here rather than by the agent, so that destroying the stack leaves none behind; Pulumi
    never writes it again.
    """
    return aws.ssm.Parameter(
        name,
        name=path,
        type="SecureString",
        description="What workers join with; the control plane renews it every hour",
        key_id=key_arn,
        value=pulumi.Output.secret("{}"),
        tags=named(tags, name),
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=list(NEVER_WRITTEN_AGAIN)),
    )
