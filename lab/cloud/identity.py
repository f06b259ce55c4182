"""Which process is the emulator of a state directory."""

from dataclasses import dataclass

from lab.processes import ProcessIdentity

FILE = "emulator.json"


@dataclass(frozen=True)
class ServerIdentity(ProcessIdentity):
    """The server's process and port."""

    port: int
