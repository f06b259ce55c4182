"""The HAProxy of one node of a load balancer, in a namespace of its own."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Collection
from pathlib import Path

from lab.atomic_file import write_atomically
from lab.lab_errors import LabError
from lab.machines.host_programs import run, start_detached
from lab.machines.lab_names import Names
from lab.machines.load_balancer import haproxy_format
from lab.machines.load_balancer.haproxy_format import SOCKET
from lab.machines.load_balancer.nlb import Node
from lab.machines.network import namespaces, router
from lab.processes import ProcessIdentity

CONFIGURATION = "haproxy.cfg"
LOG = "haproxy.log"
ERRORS = "haproxy.err"
START_SECONDS = 30.0
"""How long it may take until it answers; it takes a tenth of one."""

# It says everything a second time on stderr, without the time.
_SCRIPT = f'exec "$@" 2>>{ERRORS}'


class HAProxy:
    """Runs it, with the configuration that was given last. Raises LabError and OSError."""

    def __init__(self, node: str, directory: Path, names: Names, state: Path) -> None:
        self._node, self._names, self._state = node, names, state
        self.directory = directory / node
        self._file = self.directory / "haproxy.json"
        self._base = self.directory / "base.cfg"
        self._connected: Node | None = None
        self._rules: str | None = None

    def connect(self, node: Node, rules: str | None) -> None:
        """Have its namespace on its subnet, behind these rules of nftables; None is no rule."""
        namespace = self._names.machine(node.id)
        if node != self._connected:
            router.plug(self._names, node)
            router.give_address(namespace, "ens5", node.address, node.subnet)
            self._connected = node
        if rules is not None and rules != self._rules:
            namespaces.load_rules(namespace, rules)
            self._rules = rules

    def configure(self, render: Callable[[Collection[str]], str]) -> None:
        """Have it run with a configuration, rendered for the servers that it begins with. What is
        running keeps its connections. Raises LabError when HAProxy does not take it."""
        running = ProcessIdentity.load(self._file)
        text = render(())
        if running and self._base.exists() and self._base.read_text(encoding="utf-8") == text:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [*namespaces.entering(self._names.machine(self._node))]
        command += ["sh", "-c", _SCRIPT, "start", "haproxy", "-db", "-f", CONFIGURATION]
        if running:
            # The sockets that listen are handed over; connections stay with the old process until
            # they end.
            command += ["-x", SOCKET, "-sf", str(running.pid)]
            found = haproxy_format.servers(self.ask(haproxy_format.SHOW))
            write_atomically(
                self.directory / CONFIGURATION,
                render({one.name for one in found if one.up and one.used}),
            )
        else:
            (self.directory / SOCKET).unlink(missing_ok=True)
            write_atomically(self.directory / CONFIGURATION, text)
        run("haproxy", "-c", "-f", str(self.directory / CONFIGURATION))
        self._start(command)
        write_atomically(self._base, text)

    def _start(self, command: list[str]) -> None:
        log = self.directory / LOG
        process = start_detached(command, state=self._state, log=log, directory=self.directory)
        deadline = time.monotonic() + START_SECONDS
        while str(process.pid) not in self._pid():
            if time.monotonic() > deadline or not process.alive():
                process.stop(patience=1)
                raise LabError(
                    f"HAProxy of {self._node} does not run; see {self.directory / ERRORS}."
                )
            time.sleep(0.02)
        process.save(self._file)

    def _pid(self) -> list[str]:
        """The id of who answers now."""
        try:
            lines = self.ask("show info").splitlines()
        except OSError:
            return []
        return [line.split()[1] for line in lines if line.startswith("Pid: ")]

    def ask(self, *commands: str) -> str:
        """The answer to some commands; raises OSError when it does not run."""
        # A path to a socket has 107 characters at most, a lab's directory may have more.
        directory = os.open(self.directory, os.O_PATH)
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(f"/proc/self/fd/{directory}/{SOCKET}")
                connection.sendall(f"{'; '.join(commands)}\n".encode())
                with connection.makefile() as answer:
                    return answer.read().strip()
        finally:
            os.close(directory)

    def remove(self) -> None:
        """End it, with its connections, and remove its network."""
        namespace = self._names.machine(self._node)
        if (namespaces.DIRECTORY / namespace).exists():
            namespaces.end_processes(namespace)
            namespaces.delete(namespace)
        shutil.rmtree(self.directory, ignore_errors=True)
