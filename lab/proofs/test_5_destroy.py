"""Proof 5: `pulumi destroy` shuts the machines down, and `down` leaves nothing."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.machines import volume_files
from lab.machines.cgroups import hierarchies
from lab.machines.lab_names import MARK
from lab.machines.network import namespaces
from lab.processes import identify, marked
from lab.proofs.example_application import apply
from lab.proofs.figures import Figures
from lab.proofs.joined_workers import machines
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.running.journal import plain_text
from lab.workspace import ROOT, Workspace
from node.worker.drain_plan import LIMIT_SECONDS

NAMESPACE = "proof-destroy"
SLOWEST = 5
"""Deletions that are shown: what a destruction waits for."""
_DELETED = re.compile(r"(\S+ \S+) deleted \((\d+)s\)")


@dataclass(frozen=True)
class Destroyed:
    """What the machines' last words were."""

    consoles: dict[str, str]
    daemon: str
    seconds: float


@pytest.fixture(scope="module")
def destroyed(session: LabSession, may_destroy: None, figures: Figures) -> Destroyed:
    """`pulumi destroy` of the unprotected stack, with an application on its workers."""
    nodes = session.lab.nodes()
    if machines(session):
        session.kubectl.output("create", "namespace", NAMESPACE)
        apply(session, NAMESPACE)
    began = time.monotonic()
    printed = session.destroy()
    seconds = time.monotonic() - began
    figures.add("destroy", "pulumi destroy", seconds)
    deletions = [(int(taken), resource) for resource, taken in _DELETED.findall(printed)]
    for taken, resource in sorted(deletions, reverse=True)[:SLOWEST]:
        figures.add("destroy", f"of that: {resource}", taken)
    until("the last machine is put away", lambda: _instances(session) == [])
    read = {name: session.lab.layout.console(node.instance.id) for name, node in nodes.items()}
    return Destroyed(
        consoles={
            name: plain_text(path.read_text(errors="replace")) for name, path in read.items()
        },
        daemon=session.lab.layout.log.read_text(encoding="utf-8"),
        seconds=seconds,
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


def test_destroy_waits_for_no_drain_for_ever(destroyed: Destroyed) -> None:
    """The application's budget lets no second replica go while the first one has no place, which
    alone would hold a drain up for as long as a budget may."""
    assert destroyed.seconds < LIMIT_SECONDS


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
