"""The parameter that a node reports its state in."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.naming import ParameterPaths
from components.tags import named


def status_parameter(
    name: str,
    *,
    node: str,
    paths: ParameterPaths,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ssm.Parameter:
    """An empty report for the node to overwrite.

    Made here rather than by the node, so that destroying the stack leaves none behind.
    """
    return aws.ssm.Parameter(
        f"{name}-status",
        name=paths.status(node),
        type="String",
        description=f"What {node} last reported of itself",
        value="{}",
        tags=named(tags, f"{name}-status"),
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["value"]),
    )
