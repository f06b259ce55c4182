"""The daemon that runs the machines: its start, and removal of all that it made."""

import contextlib
import shutil
import signal
import sys
import time
from pathlib import Path

from lab.cloud.emulator_server import ROOT, Server
from lab.lab_errors import LabError
from lab.machines import cgroups, host_limits, volume_files
from lab.machines.host_programs import run, start_detached
from lab.machines.lab_names import MARK, Names
from lab.machines.layout import Layout
from lab.machines.network import namespaces
from lab.machines.nspawn_machine import LOCKS, PROPAGATE
from lab.processes import ProcessIdentity, marked

START_SECONDS = 120.0
"""How long the daemon may take until it serves."""


def find(state: Path) -> ProcessIdentity | None:
    """The daemon of a state directory, if it runs."""
    return ProcessIdentity.load(Layout(state).identity)


def start(state: Path, emulator: Server) -> ProcessIdentity:
    """Start the daemon, or find the one that runs; returns once it serves. Raises LabError."""
    layout = Layout(state)
    running = find(state)
    if running:
        return running
    layout.base.mkdir(parents=True, exist_ok=True)
    layout.identity.unlink(missing_ok=True)
    command = [sys.executable, "-m", "lab.machines.daemon", "--state", str(state)]
    command += ["--port", str(emulator.identity.port)]
    process = start_detached(command, state=state, log=layout.log, directory=ROOT)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.alive():
        running = find(state)
        if running:
            return running
        time.sleep(0.1)
    process.stop(patience=5)
    raise LabError(f"The lab's machines cannot be run; see the end of {layout.log}.")


def remove(state: Path) -> list[str]:
    """End and remove everything that the machines made on this computer, whatever state it is in;
    what that was, for people. Raises LabError when some of it stays."""
    layout, names = Layout(state), Names.of(state)
    if not layout.base.exists():
        return []
    daemon = find(state)
    if daemon:
        daemon.stop(patience=10)
    machines = [path.name for path in layout.base.glob("instances/*")]
    for identity in marked(MARK, str(state)):
        identity.stop(patience=5, first=signal.SIGKILL)
    for namespace in namespaces.existing(names.prefix):
        namespaces.end_processes(namespace)
        namespaces.delete(namespace)
    cgroups.remove(names)
    for mount in _mounts(layout.base):
        where = Path(mount).stat()
        (LOCKS / f"inode-{where.st_dev}:{where.st_ino}").unlink(missing_ok=True)
        run("umount", "--lazy", mount)
    for device in volume_files.devices(layout.base):
        run("losetup", "--detach", str(device), ok=(0, 1))
    for machine in machines:
        with contextlib.suppress(OSError):
            (PROPAGATE / machine).rmdir()
    host_limits.put_back(layout.host_limits)
    shutil.rmtree(layout.base)
    return [f"switched off {len(machines)} machines and removed their network and disks"]


def _mounts(below: Path) -> list[str]:
    """Mount points below a directory, the innermost first (proc(5), mountinfo)."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return [point for point in reversed(points) if Path(point).is_relative_to(below)]
