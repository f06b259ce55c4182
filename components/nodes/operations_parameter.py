"""Operations parameter: what nodes follow while they run, so that a change replaces none."""

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.naming import ParameterPaths
from components.tags import named
from config import ClusterSettings


def operations_document(settings: ClusterSettings) -> str:
    """The parameter's value; the nodes' side of it is `node/operations.py`."""
    snapshots = settings.etcd.snapshots
    document = {
        "snapshots": {"everyMinutes": snapshots.every_minutes, "keepDays": snapshots.keep_days},
        "mirror": settings.artifacts.mirror,
        "operatorKeys": settings.operator_keys,
    }
    return json.dumps(document, ensure_ascii=False)


def operations_parameter(
    name: str,
    *,
    settings: ClusterSettings,
    paths: ParameterPaths,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ssm.Parameter:
    """The parameter. Pulumi owns it, and nodes read it."""
    return aws.ssm.Parameter(
        f"{name}-operations",
        name=paths.operations,
        type="String",
        description="What nodes follow while they run: snapshots, mirror, operators' keys",
        value=operations_document(settings),
        tags=named(tags, f"{name}-operations"),
        opts=pulumi.ResourceOptions(parent=parent),
    )
