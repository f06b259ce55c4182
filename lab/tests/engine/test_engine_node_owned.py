"""What nodes own, under a `pulumi up` that changes everything beside it: the real engine, the real
Terraform AWS provider and stock moto."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from lab.engine import Engine
from lab.tests.engine.throwaway import REGION, Project, make
from tests.recording import REPOSITORY

PROGRAM = f"""
import json

import pulumi
import pulumi_aws as aws

from components.etcd.membership import Membership, MembershipArgs
from components.naming import EtcdMember, ParameterPaths
from components.nodes.status import status_parameter

config = pulumi.Config()
siblings = json.loads(config.get("siblings") or "{{}}")
defaults = json.loads(config.get("defaults") or "{{}}")


def change(args):
    if args.type_ != "aws:ssm/parameter:Parameter":
        return None
    return pulumi.ResourceTransformationResult({{**args.props, **siblings}}, args.opts)


provider = aws.Provider("named", region="{REGION}", default_tags={{"tags": defaults}})
options = pulumi.ResourceOptions(provider=provider, transformations=[change])


class Part(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("test:index:Part", "part", {{}}, options)
        paths = ParameterPaths("prod")
        Membership(
            "prod-etcd",
            MembershipArgs(
                members=(EtcdMember("etcd-0", "eu-central-1a", "10.0.0.4"),),
                paths=paths, incarnation="first", tags={{"team": config.get("team") or "a"}},
            ),
            pulumi.ResourceOptions(parent=self),
        )
        status_parameter(
            "prod-etcd-0", node="etcd-0", paths=paths, tags={{"team": config.get("team") or "a"}},
            parent=self,
        )
        aws.ssm.Parameter(
            "control", name="/prod/control", type="String", value="made",
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["value"]),
        )


Part()
"""

FORMATION, STATUS, CONTROL = "/prod/etcd/formation", "/prod/nodes/etcd-0/status", "/prod/control"
OWNED = (FORMATION, STATUS)


@pytest.fixture(scope="module")
def project(
    engine: Engine, endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    directory = tmp_path_factory.mktemp("owned")
    for package in ("components", "config", "node"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / package, directory / package, ignore=ignored)
    project = make(engine, endpoint, directory, PROGRAM, name="owned")
    done, steps = project.up()
    assert done.status == 0, done.text
    assert all(op == "create" for op, _ in steps)
    yield project
    done = project.pulumi("destroy", "--yes", "--skip-preview")
    assert done.status == 0, done.text
    assert project.client("ssm").describe_parameters()["Parameters"] == []


def stored(project: Project, name: str) -> tuple[int, str]:
    found = project.client("ssm").get_parameter(Name=name)["Parameter"]
    return found["Version"], found["Value"]


def write(project: Project, **changes: Any) -> dict[str, tuple[int, str]]:
    """What nodes write; what is there then."""
    for name in (*OWNED, CONTROL):
        version = stored(project, name)[0] + 1
        text = json.dumps({**changes, "version": version})
        project.client("ssm").put_parameter(Name=name, Value=text, Type="String", Overwrite=True)
    return {name: stored(project, name) for name in OWNED}


def up(project: Project, **config: Any) -> dict[str, str]:
    """Update; what was done to which parameter that nodes own."""
    done, steps = project.up(**config)
    assert done.status == 0, done.text
    return {name: op for op, name in steps if name in {"prod-etcd-formation", "prod-etcd-0-status"}}


def test_they_are_made_as_the_first_version(project: Project) -> None:
    marker = json.loads(stored(project, FORMATION)[1])
    assert (marker["formed"], marker["token"], marker["version"]) == (False, "prod-first", 1)
    assert stored(project, STATUS) == (1, '{"version": 1}')


CHANGES: dict[str, dict[str, Any]] = {
    "description": {"siblings": {"description": "other words"}},
    "tags": {"team": "b"},
    "provider's tags": {"defaults": {"owner": "b"}},
    "tier": {"siblings": {"tier": "Advanced"}},
    "pattern": {"siblings": {"allowed_pattern": ".*", "overwrite": True}},
    "data type": {"siblings": {"data_type": "aws:ec2:image"}},
    "type": {"siblings": {"type": "SecureString"}},
    "value": {"siblings": {"value": "another program's"}},
    "everything but the value": {"siblings": {"description": "last", "type": "StringList"}},
}
RESTORE = {"formed": False, "snapshot": "snapshots/x", "token": "new"}


@pytest.mark.parametrize("refreshed", [False, True], ids=["", "refreshed"])
@pytest.mark.parametrize("change", CHANGES)
def test_nothing_beside_a_value_has_it_written_back(
    project: Project, change: str, refreshed: bool
) -> None:
    """First a node's word, which a refresh has Pulumi remember, then a restore's."""
    write(project, change=change, formed=True)
    if refreshed:
        assert project.pulumi("refresh", "--yes", "--skip-preview").status == 0
    there = write(project, change=change, **RESTORE)
    # The same change would be none the second time.
    words = {
        name: json.dumps({**value, "description": f"refreshed: {refreshed}"})
        if isinstance(value, dict)
        else f"{value}-{refreshed}"
        for name, value in CHANGES[change].items()
    }
    assert up(project, **words) == {}
    assert {name: stored(project, name) for name in OWNED} == there


def test_to_ignore_the_value_alone_is_not_enough(project: Project) -> None:
    """Why every property is ignored; and that this test would see a write."""
    write(project, formed=True)
    _, before = stored(project, CONTROL)
    done, _ = project.up(siblings=json.dumps({"description": "once more"}))
    assert done.status == 0, done.text
    assert stored(project, CONTROL)[1] != before
