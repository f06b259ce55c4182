"""Server of the emulator: start, find, check, stop."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lab.cloud.control_client import Control
from lab.cloud.emulator import FILE, HOST, PORT_IN_USE, ServerIdentity
from lab.cloud.inventory import Inventory
from lab.lab_errors import LabError

DEFAULT_PORT = 5580
PORT_VARIABLE = "HA_LAB_PORT"
START_SECONDS = 120.0
"""How long the first answer may take: moto's import is 3 seconds on an idle machine and far more on
a busy one."""

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Server:
    """A running emulator."""

    identity: ServerIdentity
    directory: Path

    @property
    def endpoint(self) -> str:
        """Where the AWS API answers."""
        return f"http://{HOST}:{self.identity.port}"

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.directory / "emulator.log"

    @property
    def control(self) -> Control:
        """Its own endpoints."""
        return Control(HOST, self.identity.port)

    def inventory(self) -> Inventory:
        """What is in the account. Raises LabError when it does not answer."""
        try:
            found = self.control.inventory()
        except OSError as error:
            raise LabError(
                f"The AWS emulator does not answer ({error}); see {self.log}."
            ) from error
        return {kind: names for kind, names in found.items() if names}

    def answers(self) -> bool:
        """Whether it answers now."""
        try:
            self.inventory()
        except LabError:
            return False
        return True

    def stop(self) -> None:
        """End the process; the account is gone with it."""
        self.identity.stop(patience=5)
        (self.directory / FILE).unlink(missing_ok=True)


def port_from(environment: dict[str, str]) -> int:
    """The port to listen on, from HA_LAB_PORT. Raises LabError."""
    text = environment.get(PORT_VARIABLE) or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise LabError(f"{PORT_VARIABLE} must be a port number from 1 to 65535, not {text!r}.")
    return int(text)


def find(directory: Path) -> Server | None:
    """The server of a state directory that still runs; a stale identity file is removed."""
    file = directory / FILE
    if not file.exists():
        # Nothing to remove: a server that is about to start would lose the file that it writes.
        return None
    identity = ServerIdentity.load(file)
    if identity is None:
        file.unlink(missing_ok=True)
        return None
    return Server(identity, directory)


def start(directory: Path, port: int) -> Server:
    """Start a server for a state directory and wait until it answers; port 0 takes a free one.

    Raises LabError when the port is taken or the server does not come up.
    """
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "lab.cloud.emulator"]
    launched = subprocess.run(
        [*command, "--port", str(port), "--directory", str(directory)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if launched.returncode == PORT_IN_USE:
        raise LabError(
            f"Port {port} is in use by another program: end it, "
            f"or set {PORT_VARIABLE} to a free port and run again."
        )
    if launched.returncode:
        reason = launched.stderr.strip().rpartition("\n")[2]
        raise LabError(f"The AWS emulator did not start: {reason or 'it said nothing'}.")
    return _await(directory)


def _await(directory: Path) -> Server:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        server = find(directory)
        if server and server.answers():
            return server
        time.sleep(0.1)
    raise LabError(
        f"The AWS emulator does not answer; see the end of {directory / 'emulator.log'}."
    )
