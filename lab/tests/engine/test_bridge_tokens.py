"""Every name of the bridge is a name of the installed pulumi-aws, and of the same shape."""

import importlib
import re
import sys
import types
import typing
from collections.abc import Sequence
from pathlib import Path

import pulumi
import pytest

from lab.engine.aws import setup
from lab.engine.aws.pulumi_names import plural
from lab.engine.aws.schema import REPEATED, Block, Type
from lab.engine.aws.store import SchemaStore
from lab.engine.aws.tokens import (
    FUNCTIONS,
    RESOURCES,
    UnknownTokenError,
    data_source_type,
    resource_type,
)
from recovery import lookups

GONE_IN_PULUMI_AWS_7 = {
    "aws_eip.vpc",
    "aws_flow_log.log_group_name",
    "aws_instance.cpu_core_count",
    "aws_instance.cpu_threads_per_core",
    "aws_launch_template.elastic_gpu_specifications",
    "aws_launch_template.elastic_inference_accelerator",
}
"""Arguments that version 6 of the Terraform provider, which pulumi-aws 7 follows, took away."""

KEPT_APART = {"id", "timeouts"}
"""The identifier is Pulumi's own; time-outs are a resource option."""


@pytest.fixture(scope="module")
def schemas() -> SchemaStore:
    return SchemaStore(setup.prepare("7.51.1", print).schemas)


def sdk_object(token: str) -> typing.Any:
    module, _, name = token.removeprefix("aws:").partition("/")
    name = name.partition(":")[2]
    if name[0].islower():
        name = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
    where = "pulumi_aws" if module == "index" else f"pulumi_aws.{module}"
    return getattr(importlib.import_module(where), name)


def fields(cls: type) -> dict[str, typing.Any]:
    """Pulumi's name and the type of every output of an SDK class."""
    found = {}
    for name, member in vars(cls).items():
        if isinstance(member, property) and member.fget is not None:
            hints = typing.get_type_hints(member.fget, vars(sys.modules[cls.__module__]))
            found[getattr(member.fget, "_pulumi_name", name)] = hints["return"]
    return found


def shape(hint: typing.Any) -> tuple[bool, typing.Any]:
    """Whether a type is a list, and what it is a list of."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is pulumi.Output:
        return shape(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        return shape(next(one for one in arguments if one is not type(None)))
    if origin in {list, Sequence}:
        return True, shape(arguments[0])[1]
    return False, hint


def differences(path: str, block: Block, cls: type) -> list[str]:
    sdk = fields(cls)
    found = []
    members = [(a, a.type.kind in {"list", "set"}) for a in block.attributes.values()]
    members += [(b, b.nesting in REPEATED and not b.flat) for b in block.blocks.values()]
    for member, many in members:
        at = f"{path}.{member.name}"
        if member.name in KEPT_APART or at in GONE_IN_PULUMI_AWS_7:
            continue
        if member.property not in sdk:
            found.append(f"{at}: pulumi-aws has no {member.property}")
            continue
        is_list, element = shape(sdk[member.property])
        if is_list != many:
            found.append(f"{at}: a list in one and not in the other")
        if hasattr(member, "block"):
            found += differences(at, member.block, element)
        else:
            found += object_differences(at, member.type, element)
    return found


def object_differences(path: str, kind: Type, element: typing.Any) -> list[str]:
    while kind.element is not None:
        kind = kind.element
    if kind.members is None or not isinstance(element, type):
        return []
    known = fields(element)
    return [
        f"{path}.{n}: no {m.property}" for n, m in kind.members.items() if m.property not in known
    ]


@pytest.mark.parametrize("token", RESOURCES)
def test_every_resource_and_each_of_its_properties_is_pulumi_aws_own(token, schemas):
    cls = sdk_object(token)
    assert differences(RESOURCES[token], schemas.resource(RESOURCES[token]).block, cls) == []


@pytest.mark.parametrize("token", FUNCTIONS)
def test_every_function_and_each_of_its_properties_is_pulumi_aws_own(token, schemas):
    function = sdk_object(token)
    module = importlib.import_module(function.__module__)
    (result,) = [
        value
        for name, value in vars(module).items()
        if name.startswith("Get") and name.endswith("Result")
    ]
    assert differences(FUNCTIONS[token], schemas.data_source(FUNCTIONS[token]).block, result) == []


def test_the_tokens_are_those_that_the_sdk_sends():
    sources = {
        token: sys.modules[sdk_object(token).__module__].__file__
        for token in [*RESOURCES, *FUNCTIONS]
    }
    missing = [t for t, f in sources.items() if f"'{t}'" not in Path(str(f)).read_text()]
    assert missing == []


def test_an_unknown_token_names_the_table():
    for lookup in (resource_type, data_source_type):
        with pytest.raises(UnknownTokenError, match=r"lab/engine/aws/tokens\.py"):
            lookup("aws:lambda/function:Function")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cidr_block", "cidr_blocks"),
        ("policy", "policies"),
        ("gateway", "gateways"),
        ("ip_address", "ip_addresses"),
        ("security_groups", "security_groups"),
        ("status", "statuses"),
        ("prefix", "prefixes"),
    ],
)
def test_plurals(name, expected):
    assert plural(name) == expected


def test_every_type_of_the_program_is_looked_for_or_may_be_created_twice():
    # A new type needs a line in recovery/lookups.py.
    known = lookups.LOOKUPS.keys() | lookups.REPEATABLE
    assert RESOURCES.keys() <= known
    assert not lookups.LOOKUPS.keys() & lookups.REPEATABLE
