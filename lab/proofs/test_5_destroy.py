"""Proof 5: `pulumi destroy` shuts the machines down, and `down` leaves nothing."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.machines import volume_files
from lab.machines.cgroups import hierarchies
from lab.machines.lab_names import MARK
from lab.machines.network import namespaces
from lab.processes import identify, marked
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.running.journal import plain_text
from lab.workspace import ROOT, Workspace


@dataclass(frozen=True)
class Destroyed:
    """What the machines' last words were."""

    consoles: dict[str, str]
    daemon: str


@pytest.fixture(scope="module")
def destroyed(session: LabSession, may_destroy: None) -> Destroyed:
    """`pulumi destroy` of the unprotected stack."""
    nodes = session.lab.nodes()
    session.destroy()
    until("the last machine is put away", lambda: _instances(session) == [])
    read = {name: session.lab.layout.console(node.instance.id) for name, node in nodes.items()}
    return Destroyed(
        consoles={
            name: plain_text(path.read_text(errors="replace")) for name, path in read.items()
        },
        daemon=session.lab.layout.log.read_text(encoding="utf-8"),
    )


def _instances(session: LabSession) -> list[str]:
    return [
        name
        for name in namespaces.existing(session.lab.names.prefix)
        if name.startswith(f"{session.lab.names.prefix}-i-")
    ]


def test_destroy_shuts_every_machine_down_cleanly(destroyed: Destroyed) -> None:
    assert destroyed.consoles
    for name, console in destroyed.consoles.items():
        assert "Reached target poweroff.target" in console, name
    assert "power cut" not in destroyed.daemon


def test_destroy_leaves_nothing_in_the_account(session: LabSession, destroyed: Destroyed) -> None:
    assert destroyed.consoles
    assert session.lab.server.inventory() == {}


def test_destroy_leaves_no_machine_on_this_computer(
    session: LabSession, destroyed: Destroyed
) -> None:
    assert destroyed.consoles
    base, prefix = session.lab.layout.base, session.lab.names.prefix
    assert list(base.glob("instances/*")) == []
    assert volume_files.devices(base) == []
    assert str(base / "instances") not in Path("/proc/self/mountinfo").read_text("utf-8")
    groups = [one for root in hierarchies() for one in (root / prefix).glob("i-*")]
    assert groups == []


def test_down_leaves_nothing_at_all(
    session: LabSession, destroyed: Destroyed, workspace: Workspace
) -> None:
    assert destroyed.consoles
    settings = workspace.stack_file.read_text(encoding="utf-8")
    emulator, prefix = session.lab.server.identity, session.lab.names.prefix
    session.release()
    place = ["--project", str(workspace.project), "--state", str(workspace.state)]
    done = subprocess.run(
        [sys.executable, "-m", "lab", *place, "down"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not workspace.state.exists()
    assert identify(emulator.pid) is None
    assert marked(MARK, str(workspace.state)) == []
    assert namespaces.existing(prefix) == []
    assert volume_files.devices(workspace.state) == []
    assert str(workspace.state) not in Path("/proc/self/mountinfo").read_text("utf-8")
    assert [root for root in hierarchies() if (root / prefix).exists()] == []
    after = workspace.stack_file.read_text(encoding="utf-8")
    assert "encryptionsalt" in settings
    assert "encryptionsalt" not in after
    assert "artifacts" not in after
