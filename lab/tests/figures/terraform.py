"""A Terraform workspace that holds the AWS resources of a stack: the same kinds, as many, with the
same arguments, in the state in which the emulator has them.

Its state comes from the stand-in's record of each resource, its configuration from the inputs of
the stack, so `terraform plan` compares what `pulumi preview` compares. References between resources
are literals, which spares Terraform the graph.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.engine.aws.mirror import find_provider
from lab.engine.aws.setup import prepare
from lab.engine.aws.state import RAW_STATE, RawState, raw_state
from lab.engine.aws.store import SchemaStore
from lab.engine.aws.tokens import resource_type
from lab.engine.aws.values import to_terraform

PROVIDER = 'provider["registry.terraform.io/hashicorp/aws"]'


class UnavailableError(Exception):
    """Why there is nothing to compare with; one sentence."""


@dataclass(frozen=True)
class Terraform:
    """A directory in which `terraform plan` has nothing to do."""

    directory: Path
    resources: int
    environment: Mapping[str, str]

    def plan(self, *options: str) -> float:
        """The seconds that a plan takes; raises AssertionError unless it finds no change."""
        command = ["terraform", "plan", "-input=false", "-no-color", "-detailed-exitcode"]
        began = time.monotonic()
        done = subprocess.run(
            [*command, *options],
            cwd=self.directory,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
        wanted = [line for line in done.stdout.splitlines() if line.startswith("Plan:")]
        assert done.returncode == 0, f"terraform plan is not clean: {wanted or done.stderr}"
        return seconds


def workspace(
    directory: Path, resources: Iterable[Mapping[str, Any]], environment: Mapping[str, str]
) -> Terraform:
    """Write the workspace of a stack's decrypted resources; raises UnavailableError."""
    if shutil.which("terraform") is None:
        raise UnavailableError("terraform is not on PATH")
    bridge = prepare("", lambda _: None)
    schemas = SchemaStore(bridge.schemas)
    configuration: dict[str, dict[str, Any]] = {}
    state = []
    for resource in resources:
        if not resource["type"].startswith("aws:"):
            continue
        kind = resource_type(resource["type"])
        name = re.sub(r"\W", "_", resource["urn"].rpartition("::")[2])
        block = schemas.resource(kind).block
        inputs = to_terraform(block, _plain(resource["inputs"]))
        configuration.setdefault(kind, {})[name] = _given(inputs)
        raw = raw_state(_plain({RAW_STATE: resource["outputs"].get(RAW_STATE)}))
        if raw is None:
            raise UnavailableError("the stack was made with Pulumi's official AWS plugin")
        sensitive = [a.name for a in block.attributes.values() if a.sensitive]
        state.append(_instance(kind, name, raw, sensitive))
    directory.mkdir(mode=0o700)  # it holds the stack's secrets in clear
    document = {"provider": {"aws": {"region": environment["AWS_REGION"]}}}
    _write(directory / "main.tf.json", {**document, "resource": configuration})
    _write(directory / "terraform.tfstate", _state(state))
    override = f'"hashicorp/aws" = {json.dumps(str(find_provider("").binary.parent))}'
    settings = directory / "terraform.rc"
    settings.write_text(
        f"provider_installation {{\n dev_overrides {{ {override} }}\n direct {{}}\n}}\n"
    )
    return Terraform(directory, len(state), {**environment, "TF_CLI_CONFIG_FILE": str(settings)})


def _plain(value: Any) -> Any:
    """A value of an export, its secrets unwrapped."""
    if isinstance(value, dict) and "plaintext" in value:
        return _plain(json.loads(value["plaintext"]))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _given(value: Any) -> Any:
    """Without what was left out; `${` would begin an expression."""
    if isinstance(value, dict):
        kept = {key: _given(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, [], {})}
    if isinstance(value, list):
        return [_given(item) for item in value]
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    return value


def _instance(kind: str, name: str, raw: RawState, sensitive: list[str]) -> dict[str, Any]:
    document = json.loads(raw.to_text())
    instance = {
        "schema_version": raw.version,
        "attributes": raw.values,
        "private": document["private"],
        # Terraform calls a value that becomes sensitive a change.
        "sensitive_attributes": [[{"type": "get_attr", "value": path}] for path in sensitive],
    }
    head = {"mode": "managed", "type": kind, "name": name, "provider": PROVIDER}
    return {**head, "instances": [instance]}


def _state(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 1,
        "lineage": "figures",
        "outputs": {},
        "resources": resources,
    }


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document))
