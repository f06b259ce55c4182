"""Paths of the machines of a lab, below the lab's state directory."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths of one lab's machines."""

    state: Path
    """The lab's state directory."""

    @property
    def base(self) -> Path:
        """Everything of the machines."""
        return self.state / "machines"

    @property
    def identity(self) -> Path:
        """Which process is the daemon."""
        return self.base / "daemon.json"

    @property
    def log(self) -> Path:
        """What the daemon wrote."""
        return self.base / "daemon.log"

    @property
    def consoles(self) -> Path:
        """Directory of `<instance>.log`."""
        return self.base / "consoles"

    @property
    def volumes(self) -> Path:
        """Directory of the disks' images."""
        return self.base / "volumes"

    @property
    def dns(self) -> Path:
        """Directory of dnsmasq's files."""
        return self.base / "dnsmasq"

    @property
    def load_balancers(self) -> Path:
        """Directory of a directory per node of a load balancer."""
        return self.base / "load-balancers"

    @property
    def faults(self) -> Path:
        """Faults of the network that are injected."""
        return self.base / "faults.json"

    @property
    def host_limits(self) -> Path:
        """What a limit of this computer was before it was raised."""
        return self.base / "host-limits"

    def machine(self, instance: str) -> Path:
        """Directory of a machine: its root, and who runs it."""
        return self.base / "instances" / instance

    def console(self, instance: str) -> Path:
        """What a machine wrote to its console, over all its boots."""
        return self.consoles / f"{instance}.log"
