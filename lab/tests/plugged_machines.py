"""Namespaces that stand for machines on the lab's network, and whether they reach an address."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.machines import requirements
from lab.machines.account import Instance
from lab.machines.lab_names import Names
from lab.machines.network import namespaces, router


@contextmanager
def plugged(directory: Path, *machines: Instance) -> Iterator[Names]:
    """A router, and machines with their cables and addresses. Skips where there can be none."""
    if reason := requirements.problem():
        pytest.skip(reason)
    names = Names.of(directory)
    try:
        router.create(names)
        for one in machines:
            router.add_subnet(names, one.subnet)
            router.plug(names, one)
            router.give_address(names.machine(one.id), "ens5", one.address, one.subnet)
        yield names
    finally:
        for name in namespaces.existing(names.prefix):
            namespaces.delete(name)


def reaches(namespace: str, address: object, port: int = 9) -> bool:
    """Whether whoever has the address answers: one that refuses a port is there."""
    probe = (
        "import socket, sys\n"
        "try:\n"
        "    socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)\n"
        "except ConnectionRefusedError:\n"
        "    sys.exit(0)\n"
        "except OSError:\n"
        "    sys.exit(1)\n"
    )
    command = ["ip", "netns", "exec", namespace, sys.executable, "-c", probe]
    return subprocess.run([*command, str(address), str(port)], check=False).returncode == 0
