"""Status parameter: where a node reports its state."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.naming import ParameterPaths
from components.nodes.owned_parameter import node_owned_parameter


def status_parameter(
    name: str,
    *,
    node: str,
    paths: ParameterPaths,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ssm.Parameter:
    """An empty report for the node to overwrite."""
    return node_owned_parameter(
        f"{name}-status",
        path=paths.status(node),
        description=f"What {node} last reported of itself",
        document={},
        tags=tags,
        parent=parent,
    )
