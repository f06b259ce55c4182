"""The whole program on the real engine: a mistake is one clear line, and nothing happens."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from lab.tests.engine.program.workbench import Workbench

GOOD: Mapping[str, Any] = {"aws:region": "eu-central-1", "ha-kubernetes:protect": False}
ARM_IMAGE = "ami-0d13b0000000b0525"
"""One of the emulator's arm64 images of Debian (lab/cloud/images.json)."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """An account without a stack."""
    bench = Workbench(tmp_path_factory.mktemp("bad-input"))
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def refused_by_up(bench: Workbench) -> Any:
    """What `make up` says to an even size; the account is there from then on."""
    bench.configure({**GOOD, "ha-kubernetes:etcd": {"size": 4}})
    return bench.lab("up")


def test_make_up_tells_the_mistake_and_ends(refused_by_up: Any) -> None:
    assert refused_by_up.status == 1
    assert "Traceback" not in refused_by_up.text
    (line,) = [line for line in refused_by_up.text.splitlines() if "etcd.size" in line]
    assert "4" in line
    assert "quorum" in line


MISTAKES: dict[str, tuple[Mapping[str, Any], Sequence[str]]] = {
    "an even size": ({"etcd": {"size": 4}}, ["etcd.size", "quorum", "4"]),
    "an unknown key": ({"etcd": {"sise": 3}}, ["etcd.sise", "no known key"]),
    "a text for a number": ({"etcd": {"size": "three"}}, ["etcd.size", "three"]),
    "two zones": ({"network": {"zones": 2}}, ["network.zones", "acceptTwoZones"]),
    "a zone of nowhere": (
        {"network": {"zones": ["eu-central-1a", "eu-central-1b", "eu-central-1x"]}},
        ["network.zones", "eu-central-1x", "eu-central-1c"],
    ),
    "a misspelt instance type": (
        {"etcd": {"instanceType": "m6i.lrage"}},
        ["etcd.instanceType", "m6i.lrage", "eu-central-1"],
    ),
    "a type without NVMe": ({"api": {"instanceType": "t2.medium"}}, ["api.instanceType", "Nitro"]),
    "an image of another architecture": ({"ami": ARM_IMAGE}, ["ami", "amd64", "arm64", ARM_IMAGE]),
    "an image of nowhere": ({"ami": "ami-0123456789abcdef0"}, ["ami", "ami-0123456789abcdef0"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_stack_file_is_one_line(
    bench: Workbench, refused_by_up: Any, mistake: str
) -> None:
    values, words = MISTAKES[mistake]
    bench.configure({**GOOD, **{f"ha-kubernetes:{key}": value for key, value in values.items()}})
    _refused(bench, words)


def test_several_mistakes_are_told_at_once(bench: Workbench, refused_by_up: Any) -> None:
    bench.configure({**GOOD, "ha-kubernetes:etcd": {"size": 4}, "ha-kubernetes:pki": {"epoch": 0}})
    done = bench.update("up")
    assert done.status != 0
    assert "etcd.size" in done.text
    assert "pki.epoch" in done.text
    _nothing(bench)


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
    bench: Workbench, refused_by_up: Any, missing: str
) -> None:
    without, variables, words = ENVIRONMENTS[missing]
    bench.configure({} if missing == "no region" else GOOD)
    _refused(bench, words, without=without, **variables)


def _refused(bench: Workbench, words: Sequence[str], **environment: Any) -> None:
    """Updating without a preview first is the harshest way: nothing could hold it back."""
    done = bench.update("up", **environment)
    assert done.status != 0
    assert "Traceback" not in done.text
    assert len(done.errors) == 1, done.text
    (line,) = done.errors
    assert all(word in line for word in words), line
    assert {step.type for step in done.steps} <= {"pulumi:pulumi:Stack", "pulumi:providers:aws"}
    _nothing(bench)


def _nothing(bench: Workbench) -> None:
    assert dict(bench.inventory()) == {}
    assert {resource["type"] for resource in bench.state()} <= {
        "pulumi:pulumi:Stack",
        "pulumi:providers:aws",
    }
