"""The router, between real namespaces."""

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from lab.machines.lab_names import port
from lab.machines.network import router
from lab.tests.plugged_machines import plugged, reaches


@pytest.mark.daemons
def test_a_machine_that_goes_takes_the_router_from_nobody(tmp_path, instance):
    other = replace(
        instance,
        id="i-0fedcba9876543210",
        mac="02:00:00:aa:bb:dd",
        address=IPv4Address("10.0.224.5"),
    )
    with plugged(tmp_path, instance, other) as names:
        # A bridge left to itself takes the lowest address of its cables.
        inside, cable = ("ip", "-n", names.router, "link"), port(instance.id)
        subprocess.run([*inside, "set", cable, "address", "02:00:00:00:00:01"], check=True)
        assert reaches(names.machine(other.id), router.AWS)
        subprocess.run([*inside, "delete", cable], check=True)
        assert reaches(names.machine(other.id), router.AWS)
