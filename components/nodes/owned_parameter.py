"""Parameters that Pulumi makes and nodes own: written once, deleted in the end."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.tags import named
from node import owned

NEVER_WRITTEN_AGAIN = (
    "allowedPattern",
    "arn",
    "dataType",
    "description",
    "insecureValue",
    "keyId",
    "overwrite",
    "region",
    "tags",
    "tagsAll",
    "tier",
    "type",
    "value",
    "valueWo",
    "valueWoVersion",
)
"""Every property of a parameter but its name.

To ignore `value` alone is not enough: as soon as another property changes there is an update, the
engine sends the value that it remembers, and PutParameter has no way to leave the value out. So
there must be no update at all. Each property is named, because "*" means nothing to the AWS
provider (pulumi-terraform-bridge, doIgnoreChanges, compares whole paths); `tagsAll` for the sake of
a provider's default tags. A test holds the list against the SDK.
"""


def node_owned_parameter(
    name: str,
    *,
    path: str,
    description: str,
    document: pulumi.Input[Mapping[str, Any]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ssm.Parameter:
    """A parameter that nodes write from the moment it is made; `document` is what it begins with.

    Made here rather than by a node, so that destroying the stack leaves none behind. A node knows a
    value that is written back all the same, by the version that the document says it is of
    (node.owned).
    """
    return aws.ssm.Parameter(
        name,
        name=path,
        type="String",
        description=description,
        value=pulumi.Output.from_input(document).apply(
            lambda first: json.dumps(owned.numbered(first, owned.FIRST))
        ),
        tags=named(tags, name),
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=list(NEVER_WRITTEN_AGAIN)),
    )
