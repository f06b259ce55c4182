"""Commands of the tutorial, of the page on applications and of the runbooks: each exists, and its
arguments are ones that it takes. Which blocks run as well, they say themselves
(documented_commands.py)."""

import inspect
import re
from argparse import ArgumentParser
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
import yaml
from botocore import xform_name
from botocore.session import Session

from components.outputs import ClusterOutputs
from config import ConfigError, check
from lab.__main__ import _parser as lab_parser
from lab.proofs.documented_commands import PAGES, Block, blocks, those_that_run, words
from node.cli import parser as node_parser
from recovery.__main__ import _parser as recovery_parser
from tests.recording import REPOSITORY

PULUMI = {
    "cancel": set(),
    "config set": {"--path"},
    "destroy": set(),
    "login": set(),
    "preview": {"--diff"},
    "stack init": {"--secrets-provider"},
    "stack output": {"--show-secrets"},
    "stack rm": {"--preserve-config"},
    "stack select": set(),
    "up": {"--target", "--target-dependents", "--target-replace"},
}
"""Commands of Pulumi's CLI, with the options that the documentation uses."""

AWS_OWN = {
    ("ec2", "wait"): {"--instance-ids"},
    ("ec2-instance-connect", "ssh"): {
        "--instance-id",
        "--os-user",
        "--connection-type",
        "--private-key-file",
    },
    ("s3", "ls"): {"--recursive"},
}
"""Commands that the AWS CLI adds to those of the API."""
AWS_RENAMED = {
    ("sns", "subscribe"): {"--notification-endpoint"},
}
"""Options that the AWS CLI calls otherwise than the API does."""
AWS_EVERYWHERE = {"--output", "--query"}

OTHERS = {
    "cd": 1,
    "echo": 0,
    "export": 1,
    "git": 2,
    "grep": 1,
    "journalctl": 1,
    "kubectl": 1,
    "openssl": 1,
    "rm": 1,
    "sort": 0,
    "ssh": 1,
    "tail": 0,
    "umask": 1,
}
"""Programs of the system, with the number of words that they need at least."""

SOURCED = {".lab/env", ".venv/bin/activate"}

BLOCKS = blocks()
COMMANDS = [(block, command) for block in BLOCKS for command in block.commands]


def _id(value: object) -> str:
    return str(value)


def test_every_page_has_its_blocks():
    for page in PAGES:
        text = page.read_text()
        name = page.relative_to(REPOSITORY).as_posix()
        found = [block for block in BLOCKS if block.page == name]
        assert len(found) == text.count("```console"), name
        # What is typed is in console blocks, where it is checked.
        assert not re.search(r"```(ba|z)?sh", text), name


@pytest.mark.parametrize("block", BLOCKS, ids=_id)
def test_every_block_says_whether_something_runs_it(block: Block):
    assert block.classified, "see lab/proofs/documented_commands.py"
    assert block.commands
    if block.runs:
        # Nobody could type these as they stand.
        assert not any(
            "PLACEHOLDER" in word for c in block.commands for p in words(c) for word in p
        )


def test_each_kind_of_block_is_there():
    """A mark that is misspelt in one place is not a mark that is gone everywhere."""
    assert those_that_run("up", "docs/tutorial.md")
    assert those_that_run("up", "docs/runbooks/", "grows")
    assert those_that_run("lab", "docs/tutorial.md")
    assert all(block.machine for block in those_that_run("on"))
    assert those_that_run("on")


@pytest.mark.parametrize(("block", "command"), COMMANDS, ids=_id)
def test_every_command_exists(block: Block, command: str):
    judge_line(command)


def judge_line(command: str) -> None:
    """Fail unless every program of a command exists and takes its words."""
    for program in words(command):
        judge(program)


def judge(program: list[str]) -> None:  # noqa: C901 - a case for each program

    while "=" in program[0] and not program[0].startswith("-"):
        program = program[1:]
        if not program:
            return
    name, *rest = program
    match name, rest:
        case "sudo", _:
            judge(rest)
        case "make", _:
            assert set(rest) <= make_targets(), rest
        case ".", [file]:
            assert file in SOURCED
        case "lab", _:
            accepts(lab_parser(), rest)
        case "ha-node", _:
            accepts(node_parser(), rest)
        case ".venv/bin/python", ["-m", "recovery", *options]:
            accepts(recovery_parser(), options)
        case ".venv/bin/python", ["-m", "lab", *options]:
            accepts(lab_parser(), options)
        case "pulumi", _:
            judge_pulumi(rest)
        case "aws", [service, operation, *options]:
            judge_aws(service, operation, options)
        case _:
            assert name in OTHERS, f"a program that nobody here knows: {name}"
            assert len(rest) >= OTHERS[name]


def accepts(parser: ArgumentParser, given: list[str]) -> None:
    try:
        parser.parse_args(given)
    except SystemExit:
        pytest.fail(f"{parser.prog} does not take {given}")


def make_targets() -> set[str]:
    text = (REPOSITORY / "Makefile").read_text().replace("$(VENV)", ".venv")
    return set(re.findall(r"^([\w./-]+):(?!=)", text, re.MULTILINE)) - {".PHONY"}


def judge_pulumi(given: list[str]) -> None:
    subcommands = [one for one in PULUMI if given[: one.count(" ") + 1] == one.split()]
    assert subcommands, f"no command of Pulumi that is known here: {given}"
    (subcommand,) = subcommands
    rest = given[subcommand.count(" ") + 1 :]
    options = {word.partition("=")[0] for word in rest if word.startswith("-")}
    assert options <= PULUMI[subcommand], options
    plain = [word for word in rest if not word.startswith("-")]
    if subcommand == "config set":
        judge_setting(*plain, nested="--path" in options)
    if subcommand == "stack output" and plain:
        assert set(plain) <= output_names()


def judge_setting(key: str, value: str, *, nested: bool) -> None:
    """The settings take it, in a stack with the defaults."""
    if key.startswith("aws:"):
        assert key == "aws:region"
        return
    settings = setting(key, value, nested=nested)
    if key == "api.internal":
        settings["api"]["allowedCidrs"] = ["203.0.113.7/32"]  # which this key needs
    for pool in settings.get("workers", {}).values():
        pool.setdefault("min", 3)  # which a pool has before anything else
    check(settings, stack="docs")


def setting(key: str, value: str, *, nested: bool) -> dict[str, Any]:
    """A key with its value, as the program reads it."""
    assert nested or "." not in key, "--path is missing: it would be a key with dots"
    read = yaml.safe_load(value)
    if key.endswith("[0]"):
        key, read = key.removesuffix("[0]"), [read]
    for part in reversed(key.split(".")):
        read = {part: read}
    assert isinstance(read, dict)
    return read


def test_the_trial_in_the_tutorial_is_a_stack_that_the_program_takes():
    """Its settings together, on those of `dev`."""
    config = yaml.safe_load((REPOSITORY / "config/Pulumi.dev.yaml").read_text())["config"]
    own = {key.partition(":")[2]: value for key, value in config.items() if key[:3] == "ha-"}
    trial = [block for block in BLOCKS if block.page == "docs/tutorial.md" and not block.runs]
    programs = [one for block in trial for command in block.commands for one in words(command)]
    given = [one[3:] for one in programs if one[:3] == ["pulumi", "config", "set"]]
    assert len(given) == 2
    for *options, key, value in given:
        for section, keys in setting(key, value, nested=options == ["--path"]).items():
            own[section] |= keys
    assert not check(own, stack="dev").api.internal


def output_names() -> set[str]:
    return set(re.findall(r'"(\w+)":', inspect.getsource(ClusterOutputs.by_name)))


def judge_aws(service: str, operation: str, options: list[str]) -> None:
    """Service, operation and options, by AWS's own description of its API."""
    given = {word for word in options if word.startswith("--")}
    if (service, operation) in AWS_OWN:
        assert given - AWS_EVERYWHERE <= AWS_OWN[service, operation]
        return
    name = {"s3api": "s3"}.get(service, service)
    known = aws_operations(name)
    assert operation in known, f"{service} has no {operation}"
    renamed = AWS_RENAMED.get((service, operation), set())
    assert given - AWS_EVERYWHERE - renamed <= known[operation], given - known[operation]


@cache
def aws_operations(service: str) -> dict[str, set[str]]:
    """The options of every operation of a service."""
    session = Session()
    assert service in session.get_available_services(), service
    model = session.get_service_model(service)
    shapes = {name: model.operation_model(name).input_shape for name in model.operation_names}
    return {
        xform_name(name, "-"): _options(shape.members if shape else {})
        for name, shape in shapes.items()
    }


def _options(members: Iterable[str]) -> set[str]:
    names = {xform_name(one, "-") for one in members}
    # A truth value can be denied.
    return {f"--{name}" for name in names} | {f"--no-{name}" for name in names}


@pytest.mark.parametrize(
    "command",
    [
        "make nothing",
        "lab power-cut",
        "lab cut etcd-1",
        "sudo ha-node restored latest",
        ".venv/bin/python -m recovery --no",
        "pulumi config set --path etcd.sizes 5",
        "pulumi config set --path etcd.size 4",
        "pulumi config set etcd.size 5",
        "pulumi stack output kubeconfigs",
        "pulumi upp",
        "pulumi up --everything",
        "aws ssm get-parameters-of",
        "aws ssm get-parameter --path /a",
        "a=$(aws ssm get-parameter --path /a)",
        "kubectl get pods | grap etcd",
        ". .lab/environment",
    ],
)
def test_what_does_not_exist_is_found(command: str):
    with pytest.raises((AssertionError, ConfigError, pytest.fail.Exception)):
        judge_line(command)


def test_words_of_pipes_redirections_substitutions_and_placeholders():
    assert words("aws s3 ls s3://<bucket>/a/ | sort >x 2>/dev/null # last") == [
        ["aws", "s3", "ls", "s3://PLACEHOLDER/a/"],
        ["sort", "2"],
    ]
    assert words('a=$(aws b \\\n  --c "d e") && echo "$a" &') == [
        ["a=SUBSTITUTED"],
        ["echo", "$a"],
        ["aws", "b", "--c", "d e"],
    ]
