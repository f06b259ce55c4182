"""Provision of the machines: what they need is built, and the daemon that runs them is started."""

from lab.cloud.emulator_server import Server
from lab.engine.model import Report
from lab.images import catalog
from lab.machines import daemon_process, requirements
from lab.machines.download_store import built_store
from lab.machines.lab_ca import lab_ca
from lab.machines.nspawn_image import built_image
from lab.stack import stack_config
from lab.stack.timing import Timing
from lab.workspace import Workspace


def provide(workspace: Workspace, emulator: Server, say: Report, timing: Timing) -> None:
    """Build what is not in the cache, and have the daemon run. Raises LabError, EngineError."""
    requirements.require()
    with timing.part("image"):
        built_image(lab_ca().certificate, say)
    with timing.part("binaries"):
        store = built_store(say)
        images = catalog.references(store.images)
        stack_config.put_checksums(workspace.stack_file, store.sha256(), images)
    running = daemon_process.start(workspace.state, emulator)
    say(f"machines are run by process {running.pid}")
