"""The whole program on the real engine: a wrong setting is one clear line, and nothing happens.

Tests of the settings and of the look-ups (tests/unit/test_settings.py, tests/program) have a case for
every rule; here are those whose answer comes from the provider, the account or the shell.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from lab.tests.engine.program.workbench import Workbench
from lab.tests.engine.throwaway import CommandResult

GOOD: Mapping[str, Any] = {"aws:region": "eu-central-1", "ha-kubernetes:protect": False}
WRONG: Mapping[str, Any] = {
    **GOOD,
    "ha-kubernetes:etcd": {"size": 4},
    "ha-kubernetes:pki": {"epoch": 0},
}
ARM_IMAGE = "ami-0d13b0000000b0525"
"""One of the emulator's arm64 images of Debian (lab/cloud/images.json)."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """An account without a stack."""
    bench = Workbench(tmp_path_factory.mktemp("bad-input"))
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def refused_by_make(bench: Workbench) -> CommandResult:
    """What `make up` says of wrong settings; the account is there from then on."""
    bench.configure(WRONG)
    return bench.lab("up")


def test_make_up_reports_wrong_settings_together_and_ends(refused_by_make: CommandResult) -> None:
    assert refused_by_make.status == 1
    _check_wrong(refused_by_make.text.splitlines(), refused_by_make.text)


def test_an_update_reports_wrong_settings_together(
    bench: Workbench, refused_by_make: CommandResult
) -> None:
    bench.configure(WRONG)
    done = bench.update("up")
    assert done.status != 0
    _check_wrong(done.errors, done.text)
    _check_nothing_exists(bench)


def _check_wrong(lines: Sequence[str], text: str) -> None:
    assert "Traceback" not in text
    (line,) = [line for line in lines if "etcd.size" in line]
    assert "4" in line
    assert "quorum" in line
    assert "pki.epoch" in text


SETTINGS: dict[str, tuple[Mapping[str, Any], Sequence[str]]] = {
    "a zone that the region lacks": (
        {"network": {"zones": ["eu-central-1a", "eu-central-1b", "eu-central-1x"]}},
        ["network.zones", "eu-central-1x", "eu-central-1c"],
    ),
    "a misspelt instance type": (
        {"etcd": {"instanceType": "m6i.lrage"}},
        ["etcd.instanceType", "m6i.lrage", "eu-central-1"],
    ),
    "an image of another architecture": ({"ami": ARM_IMAGE}, ["ami", "amd64", "arm64", ARM_IMAGE]),
    "an image that is not there": (
        {"ami": "ami-0123456789abcdef0"},
        ["ami", "ami-0123456789abcdef0"],
    ),
}


@pytest.mark.parametrize("wrong", SETTINGS)
def test_a_setting_that_aws_refuses_is_one_line(
    bench: Workbench, refused_by_make: CommandResult, wrong: str
) -> None:
    values, words = SETTINGS[wrong]
    bench.configure({**GOOD, **{f"ha-kubernetes:{key}": value for key, value in values.items()}})
    _check_refused(bench, words)


ENVIRONMENTS: dict[str, tuple[Sequence[str], Mapping[str, str], Sequence[str]]] = {
    "no region": (["AWS_REGION", "AWS_DEFAULT_REGION"], {}, ["aws:region"]),
    "no credentials": (
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
        {},
        ["credentials"],
    ),
    "no endpoint": ([], {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, ["127.0.0.1:1"]),
}


@pytest.mark.parametrize("missing", ENVIRONMENTS)
def test_what_the_environment_lacks_is_one_line(
    bench: Workbench, refused_by_make: CommandResult, missing: str
) -> None:
    without, variables, words = ENVIRONMENTS[missing]
    bench.configure({} if missing == "no region" else GOOD)
    _check_refused(bench, words, without=without, **variables)


def _check_refused(bench: Workbench, words: Sequence[str], **environment: Any) -> None:
    """Updating without a preview first is the harshest way: nothing could hold it back."""
    done = bench.update("up", **environment)
    assert done.status != 0
    assert "Traceback" not in done.text
    assert len(done.errors) == 1, done.text
    (line,) = done.errors
    assert all(word in line for word in words), line
    _check_nothing_exists(bench)


def _check_nothing_exists(bench: Workbench) -> None:
    assert dict(bench.inventory()) == {}
    assert {resource["type"] for resource in bench.state()} <= {
        "pulumi:pulumi:Stack",
        "pulumi:providers:aws",
    }
