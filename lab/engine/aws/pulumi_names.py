"""Terraform's names as Pulumi's: camelCase, and plural where a value is a list.

pulumi-aws is generated from the Terraform provider by these rules; where it was adjusted by
hand, the tables here say so. A test compares every name with the installed package.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

RENAMED: Final[Mapping[str, str]] = {
    "aws_cloudwatch_metric_alarm.alarm_name": "name",
    "aws_default_security_group.egress": "egress",
    "aws_default_security_group.ingress": "ingress",
    "aws_security_group.egress": "egress",
    "aws_security_group.ingress": "ingress",
    "aws_sns_topic_subscription.topic_arn": "topic",
}
"""Path in the Terraform schema to Pulumi property, where pulumi-aws does not follow the rule."""

SINGLE: Final[frozenset[str]] = frozenset(
    f"aws_s3_bucket_lifecycle_configuration.rule.{block}"
    for block in (
        "abort_incomplete_multipart_upload",
        "expiration",
        "filter",
        "filter.and",
        "filter.tag",
        "noncurrent_version_expiration",
    )
)
"""List blocks without a declared limit that pulumi-aws still treats as one object."""


def camel_case(name: str) -> str:
    """`cidr_block` as `cidrBlock`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


@cache
def plural(name: str) -> str:
    """The English plural of the last word, by the rules that AWS's vocabulary needs."""
    if re.search(r"(ss|us|is|x|ch|sh)$", name):
        return name + "es"
    if name.endswith("s"):
        return name
    if re.search(r"[^aeiou]y$", name):
        return name[:-1] + "ies"
    return name + "s"


def property_name(path: str, *, many: bool) -> str:
    """The Pulumi property at a path such as `aws_s3_bucket.lifecycle_rule.id`."""
    renamed = RENAMED.get(path)
    if renamed is not None:
        return renamed
    name = path.rpartition(".")[2]
    return camel_case(plural(name) if many else name)
