"""The dnsmasq process of the router: DHCP and DNS."""

import signal
from pathlib import Path

from lab.files import write_atomically
from lab.machines import detached
from lab.machines.names import Names
from lab.processes import ProcessIdentity


class Dnsmasq:
    """Runs dnsmasq in the router's namespace, with what was given last."""

    def __init__(self, directory: Path, names: Names, state: Path) -> None:
        self._directory, self._names, self._state = directory, names, state
        self._file = directory / "dnsmasq.json"
        self._identity = ProcessIdentity.load(self._file)
        self._files: dict[str, str] = {}

    def update(self, configuration: str, hosts: str, dhcp_hosts: str) -> None:
        """Have it answer according to these: restarted for a new configuration, else told to read
        its hosts anew."""
        wanted = {"dnsmasq.conf": configuration, "hosts": hosts, "dhcp-hosts": dhcp_hosts}
        alive = self._identity is not None and self._identity.alive()
        if alive and wanted == self._files:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            write_atomically(self._directory / name, text)
        leases = self._leases()
        kept = [lease for lease in leases if lease.split()[1] in dhcp_hosts]
        same = self._files.get("dnsmasq.conf") == configuration and kept == leases
        if alive and same and self._identity:
            self._identity.send(signal.SIGHUP)
        else:
            # It would keep an address for whoever had it last, and it knows no way to take a
            # lease back but to begin without it.
            self.stop()
            write_atomically(self._directory / "leases", "".join(f"{one}\n" for one in kept))
            self._start()
        self._files = wanted

    def leased(self) -> set[str]:
        """MAC addresses of machines that have their address."""
        return {lease.split()[1] for lease in self._leases()}

    def _leases(self) -> list[str]:
        try:
            lines = (self._directory / "leases").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if len(line.split()) > 3]

    def stop(self) -> None:
        """End it."""
        if self._identity:
            self._identity.stop(patience=5)
            self._identity = None

    def _start(self) -> None:
        command = ["ip", "netns", "exec", self._names.router, "dnsmasq"]
        self._identity = detached.start(
            [*command, f"--conf-file={self._directory / 'dnsmasq.conf'}"],
            state=self._state,
            log=self._directory / "dnsmasq.log",
        )
        self._identity.save(self._file)
