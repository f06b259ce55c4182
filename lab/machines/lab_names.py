"""Names of what the lab makes on this computer. Pure.

Everything carries the lab's prefix, so that `down` finds it after a crash, and so that two labs do
not meet. Bridges and ports live inside the lab's namespaces; the host's own see nothing.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

MARK = "HA_LAB_MACHINES"
"""In the environment of every process that the machines' daemon starts, its value the state
directory."""


@dataclass(frozen=True)
class Names:
    """Names of one lab."""

    prefix: str

    @classmethod
    def of(cls, state: Path) -> "Names":
        """The names of the lab in a state directory."""
        return cls(f"halab-{hashlib.sha256(str(state).encode()).hexdigest()[:6]}")

    @property
    def router(self) -> str:
        """The namespace that holds the subnets' bridges and the services of the VPC."""
        return f"{self.prefix}-router"

    def machine(self, instance: str) -> str:
        """The namespace of a machine."""
        return f"{self.prefix}-{instance}"


def bridge(subnet: str) -> str:
    """The bridge of a subnet; 15 characters is the kernel's limit for a link."""
    return f"s-{subnet[-12:]}"


def port(instance: str) -> str:
    """The router's end of a machine's cable."""
    return f"p-{instance[-12:]}"
