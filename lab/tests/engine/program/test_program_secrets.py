"""The whole program on the real engine: no private key leaves the encrypted state."""

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.program.secret_scan import (
    encryption_keys,
    files_below,
    leaks,
    private_keys,
    secrets_of,
    unpacked,
)

NOT_SCANNED = ["engine/passphrase"]
"""The lab's own passphrase, which only its owner may read; see the test of its mode."""


@pytest.fixture(scope="module")
def keys(resized: ScenarioRun) -> list[str]:
    """Every private key of the stack, and the key of encryption at rest."""
    texts = secrets_of(resized["shown"].text)
    encryption = encryption_keys(texts)
    assert len(encryption) == 1
    return [*private_keys(texts), *encryption]


@pytest.fixture(scope="module")
def printed(resized: ScenarioRun) -> Mapping[str, bytes]:
    """What the commands printed."""
    before = ("killed", "interrupted", "up", "again", "looked", "grown", "shrunk", "previewed")
    # To the last command: after it nothing writes where files are searched.
    names = (*before, "reissued", "protected")
    return {name: resized[name].text.encode() for name in names}


def test_every_kind_of_key_is_among_those_searched(resized: ScenarioRun, keys: list[str]) -> None:
    state = resized["reissued"].state
    made = [resource for resource in state if resource["type"].endswith(":PrivateKey")]
    assert len(keys) >= len(made) > 20


def test_no_user_data_holds_a_key(resized: ScenarioRun, keys: list[str]) -> None:
    # Two of them workers.
    for name, nodes in (("up", 8), ("grown", 10)):
        user_data = resized[name].account.user_data
        assert len(user_data) == nodes
        documents = {node: unpacked(data) for node, data in user_data.items()}
        assert all(document.startswith(b"#cloud-config") for document in documents.values())
        assert leaks(documents, keys) == []
        assert b"PRIVATE KEY" not in b"".join(documents.values())


def test_no_command_prints_a_key(printed: Mapping[str, bytes], keys: list[str]) -> None:
    assert "local-admin" in printed["previewed"].decode(), "the preview showed what changes"
    assert leaks(printed, keys) == []
    assert b"PRIVATE KEY-----" not in b"".join(printed.values())


def test_no_file_of_the_lab_holds_a_key(
    resized: ScenarioRun, printed: Mapping[str, bytes], keys: list[str]
) -> None:
    state = resized.bench.workspace.state
    files = files_below(state, without=NOT_SCANNED)
    logs = {"update.log", "update.events", "preview.events", "emulator.log", "env"}
    assert logs <= files.keys()
    history = [name for name in files if ".pulumi/history/" in name]
    assert len(history) > 5, "the state's history was searched"
    assert [name for name in files if ".pulumi/backups/" in name]
    files |= {
        f"events of {log.name}": log.read_bytes()
        for log in resized.bench.directory.glob("*.events")
    }
    files |= files_below(resized.bench.project)
    assert leaks(files, keys) == []


def test_the_passphrase_is_for_its_owner_and_nowhere_else(
    resized: ScenarioRun, printed: Mapping[str, bytes]
) -> None:
    state = resized.bench.workspace.state
    path = state / NOT_SCANNED[0]
    assert path.stat().st_mode & 0o077 == 0
    assert state.stat().st_mode & 0o077 == 0
    files = {**files_below(state, without=NOT_SCANNED), **printed}
    files |= files_below(resized.bench.project)
    assert leaks(files, [path.read_text().strip()]) == []


FORMS: dict[str, Callable[[str], str]] = {
    "raw": lambda text: text,
    "in JSON": lambda text: json.dumps({"value": text}),
    "in JSON in JSON": lambda text: json.dumps(json.dumps({"value": text})),
    "indented": lambda text: text.replace("\n", "\n      "),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of more": lambda text: base64.b64encode(f"--{text}--".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_scan_finds_a_planted_key(keys: list[str], tmp_path: Path, form: str) -> None:
    planted = tmp_path / "deep" / "update.log"
    planted.parent.mkdir()
    planted.write_text(f"before {FORMS[form](keys[0])} after")
    (tmp_path / "innocent.log").write_text("nothing")
    assert leaks(files_below(tmp_path), keys) == ["deep/update.log"]


def test_the_scan_finds_every_key_in_the_decrypted_state(
    resized: ScenarioRun, keys: list[str]
) -> None:
    shown = resized["shown"].text.encode()
    assert [key for key in keys if leaks({"shown": shown}, [key])] == keys
    encrypted: Any = json.dumps(resized["reissued"].state).encode()
    assert leaks({"state": encrypted}, keys) == []
