"""The dnsmasq process of the router: DHCP and DNS."""

import os
import signal
import subprocess
from pathlib import Path

from lab.files import write_atomically
from lab.machines.names import MARK, Names
from lab.processes import ProcessIdentity, identify


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
        if alive and self._identity and self._files.get("dnsmasq.conf") == configuration:
            self._identity.send(signal.SIGHUP)
        else:
            self.stop()
            self._start()
        self._files = wanted

    def leased(self) -> set[str]:
        """MAC addresses of machines that have their address."""
        try:
            lines = (self._directory / "leases").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return set()
        return {fields[1] for line in lines if len(fields := line.split()) > 3}

    def stop(self) -> None:
        """End it."""
        if self._identity:
            self._identity.stop(patience=5)
            self._identity = None

    def _start(self) -> None:
        with (self._directory / "dnsmasq.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *("ip", "netns", "exec", self._names.router),
                    *("dnsmasq", f"--conf-file={self._directory / 'dnsmasq.conf'}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, MARK: str(self._state)},
                start_new_session=True,
            )
        self._identity = identify(process.pid)
        if self._identity:
            self._identity.save(self._file)
