"""Parameters that nodes own, under a `pulumi up` that changes everything about them but the value:
the real engine, the real Terraform AWS provider and stock moto."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from lab.engine.model import Engine
from lab.tests.engine.throwaway import REGION, Project, make
from tests.recording import REPOSITORY

PROGRAM = f"""
import json

import pulumi
import pulumi_aws as aws

from components.etcd.membership_parameters import Membership, MembershipArgs
from components.naming import EtcdMember, ParameterPaths
from components.nodes.status_parameter import status_parameter

config = pulumi.Config()
changes = json.loads(config.require("changes"))


class Part(pulumi.ComponentResource):
    def __init__(self, name, provider, change):
        def transform(args):
            if args.type_ != "aws:ssm/parameter:Parameter":
                return None
            return pulumi.ResourceTransformationResult(
                {{**args.props, **change.get("siblings", {{}})}}, args.opts
            )

        options = pulumi.ResourceOptions(provider=provider, transformations=[transform])
        super().__init__("test:index:Part", name, {{}}, options)
        paths, tags = ParameterPaths(name), {{"team": change.get("team", "a")}}
        Membership(
            f"{{name}}-etcd",
            MembershipArgs(
                members=(EtcdMember("etcd-0", "eu-central-1a", "10.0.0.4"),),
                paths=paths, incarnation="first", tags=tags,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        status_parameter(f"{{name}}-etcd-0", node="etcd-0", paths=paths, tags=tags, parent=self)
        aws.ssm.Parameter(
            f"{{name}}-control", name=f"/{{name}}/control", type="String", value="made", tags=tags,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["value"]),
        )


usual = aws.Provider("usual", region="{REGION}")
defaults = changes["provider-tags"].get("defaults", {{}})
tagging = aws.Provider("tagging", region="{REGION}", default_tags={{"tags": defaults}})
for name, change in changes.items():
    Part(name, tagging if name == "provider-tags" else usual, change)
"""

CHANGES: dict[str, dict[str, Any]] = {
    "description": {},
    "tags": {"team": "b"},
    "provider-tags": {"defaults": {"owner": "b"}},
    "tier": {"siblings": {"tier": "Advanced"}},
    "pattern": {"siblings": {"allowed_pattern": ".*", "overwrite": True}},
    "data-type": {"siblings": {"data_type": "aws:ec2:image"}},
    "type": {"siblings": {"type": "SecureString"}},
    "value": {"siblings": {"value": "another program's"}},
    "everything-else": {"siblings": {"tier": "Advanced", "type": "StringList"}},
}
"""What changes, by the name of a part of the program."""
OWNED = {
    path.format(part): name.format(part)
    for part in CHANGES
    for path, name in (
        ("/{}/etcd/formation", "{}-etcd-formation"),
        ("/{}/nodes/etcd-0/status", "{}-etcd-0-status"),
    )
}
"""The parameters that nodes own and their resources' names."""
CONTROLS = {f"/{part}/control": f"{part}-control" for part in CHANGES}
"""Parameters of which only the value is ignored."""
RESTORE = {"formed": False, "snapshot": "snapshots/x", "token": "new"}


@pytest.fixture(scope="module")
def project(
    engine: Engine, endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    directory = tmp_path_factory.mktemp("owned")
    for package in ("components", "config", "node"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / package, directory / package, ignore=ignored)
    project = make(engine, endpoint, directory, PROGRAM, name="owned")
    done, steps = project.up(changes=json.dumps({part: {} for part in CHANGES}))
    assert done.status == 0, done.text
    assert all(op == "create" for op, _ in steps)
    yield project
    done = project.pulumi("destroy", "--yes", "--skip-preview")
    assert done.status == 0, done.text
    assert project.client("ssm").describe_parameters()["Parameters"] == []


def stored(project: Project, names: dict[str, str]) -> dict[str, tuple[int, str]]:
    ssm = project.client("ssm")
    found = (ssm.get_parameter(Name=name)["Parameter"] for name in names)
    return {parameter["Name"]: (parameter["Version"], parameter["Value"]) for parameter in found}


def write(project: Project, **document: Any) -> None:
    """As nodes do."""
    ssm = project.client("ssm")
    for name, (version, _) in stored(project, {**OWNED, **CONTROLS}).items():
        text = json.dumps({**document, "version": version + 1})
        ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)


def test_they_are_created_as_the_first_version(project: Project) -> None:
    for name, (version, value) in stored(project, OWNED).items():
        assert version == 1
        if name.endswith("/status"):
            assert value == '{"version": 1}'
        else:
            marker = json.loads(value)
            part = name.split("/")[1]
            assert (marker["formed"], marker["token"], marker["version"]) == (
                False,
                f"{part}-first",
                1,
            )


@pytest.mark.parametrize("refreshed", [False, True], ids=["", "refreshed"])
def test_no_change_writes_the_value_back(project: Project, refreshed: bool) -> None:
    """First a node's value, which a refresh has Pulumi remember, then a restore's."""
    write(project, formed=True)
    if refreshed:
        assert project.pulumi("refresh", "--yes", "--skip-preview").status == 0
    write(project, **RESTORE)
    owned, controls = stored(project, OWNED), stored(project, CONTROLS)
    # The same change would be none the second time.
    described = {"description": f"refreshed: {refreshed}"}
    changes = {
        part: {**change, "siblings": {**change.get("siblings", {}), **described}}
        for part, change in CHANGES.items()
    }
    done, steps = project.up(changes=json.dumps(changes))
    assert done.status == 0, done.text
    assert [step for step in steps if step[1] in OWNED.values()] == []
    assert stored(project, OWNED) == owned
    # Why every property is ignored, not the value alone; and that this test sees a write.
    after = stored(project, CONTROLS)
    assert [name for name in CONTROLS if after[name][1] == controls[name][1]] == []
