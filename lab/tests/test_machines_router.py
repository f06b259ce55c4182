"""The router, between real namespaces."""

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from lab.machines import requirements
from lab.machines.lab_names import Names, port
from lab.machines.network import namespaces, router
from lab.tests.plugged_machines import plug, reaches


@pytest.mark.daemons
def test_a_machine_that_goes_takes_the_router_from_nobody(tmp_path, instance):
    if reason := requirements.problem():
        pytest.skip(reason)
    names = Names.of(tmp_path)
    other = replace(
        instance,
        id="i-0fedcba9876543210",
        mac="02:00:00:aa:bb:dd",
        address=IPv4Address("10.0.224.5"),
    )
    router.create(names)
    try:
        for one in (instance, other):
            plug(names, one)
        # A bridge left to itself takes the lowest address of its cables.
        inside, cable = ("ip", "-n", names.router, "link"), port(instance.id)
        subprocess.run([*inside, "set", cable, "address", "02:00:00:00:00:01"], check=True)
        assert reaches(names.machine(other.id), router.AWS)
        subprocess.run([*inside, "delete", cable], check=True)
        assert reaches(names.machine(other.id), router.AWS)
    finally:
        for name in namespaces.existing(names.prefix):
            namespaces.delete(name)
