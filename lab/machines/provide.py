"""Everything that machines need, in place before the stack asks for the first one."""

from lab.cloud.server import Server
from lab.engine.model import Report
from lab.machines import process, requirements
from lab.machines.artifacts import built_store
from lab.machines.authority import authority
from lab.machines.image import built_image
from lab.stack import checksums
from lab.stack.timing import Timing
from lab.workspace import Workspace


def provide(workspace: Workspace, emulator: Server, say: Report, timing: Timing) -> None:
    """Build what is not in the cache, and have the daemon run. Raises LabError, EngineError."""
    requirements.require()
    with timing.part("image"):
        built_image(authority().certificate, say)
    with timing.part("binaries"):
        checksums.put(workspace.stack_file, built_store(say).sha256())
    running = process.start(workspace.state, emulator)
    say(f"machines are run by process {running.pid}")
