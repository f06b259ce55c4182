"""Names for what the program leaves unnamed, as pulumi-aws gives them: `<logical>-<7 hex>`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lab.engine.aws.schema import Block

RANDOM_DIGITS: Final = 7

DEFAULTS: Final = "__defaults"
"""The input in which the AWS provider lists the properties that it filled in itself."""


@dataclass(frozen=True)
class Autoname:
    """The property that is named, the longest name AWS takes and what it must look like."""

    property: str = "name"
    longest: int = 255
    prefix: str = ""
    lower: bool = False


SPECIAL: Final[Mapping[str, Autoname]] = {
    "aws_iam_instance_profile": Autoname(longest=128),
    "aws_iam_role": Autoname(longest=64),
    "aws_iam_role_policy": Autoname(longest=128),
    "aws_kms_alias": Autoname(prefix="alias/"),
    "aws_lb": Autoname(longest=32),
    "aws_lb_target_group": Autoname(longest=32),
    "aws_s3_bucket": Autoname(property="bucket", longest=63, lower=True),
}

DESCRIBED: Final[frozenset[str]] = frozenset({"aws_security_group"})
"""Types whose absent description pulumi-aws fills in; it cannot be changed in AWS later."""

DESCRIPTION: Final = "Managed by Pulumi"


def autoname(type_name: str, block: Block) -> Autoname | None:
    """How a type is named, or None if it has no name of its own."""
    if type_name in SPECIAL:
        return SPECIAL[type_name]
    name = block.by_property.get("name")
    attribute = block.attributes.get(name) if name else None
    if attribute is None or not attribute.settable or attribute.type.kind != "string":
        return None
    return Autoname()


def generated_name(rule: Autoname, logical_name: str, seed: bytes) -> str:
    """A name that the same seed always gives again; the logical name is cut if it is too long."""
    digits = hashlib.sha256(seed).hexdigest()[:RANDOM_DIGITS]
    room = rule.longest - len(rule.prefix) - RANDOM_DIGITS - 1
    name = f"{rule.prefix}{logical_name[:room]}-{digits}"
    return name.lower() if rule.lower else name


def filled_in(
    type_name: str,
    block: Block,
    *,
    news: Mapping[str, Any],
    olds: Mapping[str, Any],
    logical_name: str,
    seed: bytes,
) -> dict[str, str]:
    """The defaults for absent properties; what was filled in before is kept."""
    defaults: dict[str, str] = {}
    before = set(olds.get(DEFAULTS) or [])
    rule = autoname(type_name, block)
    if (
        rule is not None
        and news.get(rule.property) is None
        and news.get(f"{rule.property}Prefix") is None
    ):
        kept = olds.get(rule.property) if rule.property in before else None
        defaults[rule.property] = (
            kept if isinstance(kept, str) else generated_name(rule, logical_name, seed)
        )
    if type_name in DESCRIBED and news.get("description") is None:
        defaults["description"] = DESCRIPTION
    return defaults


def name_is_fixed(
    type_name: str, block: Block, news: Mapping[str, Any], olds: Mapping[str, Any]
) -> bool:
    """Whether old and new have the same name, given by the program.

    AWS would refuse the second of two such resources, so a replacement must delete first; this
    is what the official provider does as well.
    """
    rule = autoname(type_name, block)
    if rule is None or rule.property in (news.get(DEFAULTS) or []):
        return False
    name = news.get(rule.property)
    return name is not None and name == olds.get(rule.property)
