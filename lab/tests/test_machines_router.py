"""The router, between real namespaces."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from lab.machines.account import Group, Instance, Rule
from lab.machines.firewall import Uplink, ruleset
from lab.machines.host_programs import start_detached
from lab.machines.lab_names import Names, port
from lab.machines.network import namespaces, router
from lab.proofs.polling import until
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


PREFIXES = (IPv4Network("10.0.225.16/28"), IPv4Network("10.0.225.32/28"))
"""Of two machines in one subnet."""
PORT = 9


@pytest.fixture
def workers(instance):
    subnet = replace(instance.subnet, cidr=IPv4Network("10.0.224.0/23"))
    first = replace(instance, subnet=subnet, pool="general", prefixes=PREFIXES[:1])
    other = replace(
        first,
        id="i-0fedcba9876543210",
        mac="02:00:00:aa:bb:dd",
        address=IPv4Address("10.0.224.5"),
        prefixes=PREFIXES[1:],
    )
    return first, other


@contextmanager
def pods(names: Names, *workers: Instance) -> Iterator[list[str]]:
    """A pod on each worker, with the second address of its prefix, as the plug-in ptp makes it."""
    found = []
    try:
        for worker in workers:
            router.answer_for_pods(names, worker)
            machine, pod = names.machine(worker.id), f"{names.prefix}-pod-{len(found)}"
            address, host = worker.prefixes[0][1], worker.address
            namespaces.create(pod)
            found.append(pod)
            for command in (
                [
                    "-n",
                    machine,
                    "link",
                    "add",
                    "veth0",
                    "type",
                    "veth",
                    "peer",
                    "eth0",
                    "netns",
                    pod,
                ],
                ["-n", machine, "address", "add", f"{host}/32", "dev", "veth0"],
                ["-n", machine, "link", "set", "veth0", "up"],
                ["-n", machine, "route", "add", f"{address}/32", "dev", "veth0"],
                ["-n", pod, "address", "add", f"{address}/32", "dev", "eth0"],
                ["-n", pod, "link", "set", "eth0", "up"],
                ["-n", pod, "route", "add", f"{host}/32", "dev", "eth0", "scope", "link"],
                ["-n", pod, "route", "add", "default", "via", str(host)],
                ["netns", "exec", machine, "sysctl", "-qw", "net.ipv4.ip_forward=1"],
            ):
                subprocess.run(["ip", *command], check=True)
        yield found
    finally:
        for pod in found:
            namespaces.delete(pod)


@pytest.mark.daemons
def test_pods_are_reached_where_their_prefix_is(tmp_path, workers):
    first, other = workers
    with plugged(tmp_path, *workers) as names, pods(names, *workers) as (one, two):
        mine, theirs = (worker.prefixes[0][1] for worker in workers)
        # In the subnet without a route: the machine answers on the link for its pods.
        assert reaches(one, theirs, PORT)
        assert reaches(names.machine(first.id), theirs, PORT)
        # The router asks no link: it has a route.
        router.set_routes(names, {worker.prefixes[0]: worker.address for worker in workers})
        assert reaches(names.router, mine, PORT)
        assert reaches(two, router.AWS, PORT)
        # Where the prefix is assigned to another machine, the way leads there.
        router.set_routes(names, {PREFIXES[0]: other.address})
        assert next_hops(names, mine, theirs) == [other.address, None]
        router.set_routes(names, {PREFIXES[0]: other.address})
        router.set_routes(names, {})
        assert next_hops(names, mine, theirs) == [None, None]


def next_hops(names: Names, *addresses: IPv4Address) -> list[IPv4Address | None]:
    """Where the router sends what is for addresses; None to whoever says on the link that it has
    them."""
    found = []
    for address in addresses:
        command = ["ip", "-n", names.router, "-json", "route", "get", str(address)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        (route,) = json.loads(shown)
        found.append(IPv4Address(route["gateway"]) if "gateway" in route else None)
    return found


@pytest.mark.daemons
def test_security_groups_hold_for_pods(tmp_path, workers):
    first, _ = workers
    anyone = "0.0.0.0/0"
    group = Group(
        "sg", (Rule("tcp", (PORT, PORT), anyone, None),), (Rule("-1", None, anyone, None),)
    )
    with plugged(tmp_path, *workers) as names, pods(names, *workers) as (one, two):
        mine, theirs = (worker.prefixes[0][1] for worker in workers)
        uplink = Uplink("ens5", first.address, first.prefixes)
        rules = ruleset(["sg"], {"sg": group}, (), IPv4Network("10.0.0.0/16"), uplink)
        namespaces.load_rules(names.machine(first.id), rules)
        assert reaches(two, mine, PORT)
        assert not reaches(two, mine, PORT + 1)
        assert reaches(one, theirs, PORT + 1)
        # Between a machine and its own pods there is no interface of the VPC.
        assert reaches(names.machine(first.id), mine, PORT + 1)
        assert reaches(one, first.address, PORT + 1)
        # What is not the interface's address does not leave it.
        ip = ["ip", "-n", one]
        subprocess.run([*ip, "address", "add", "10.0.225.200/32", "dev", "eth0"], check=True)
        subprocess.run([*ip, "address", "delete", f"{mine}/32", "dev", "eth0"], check=True)
        assert not reaches(one, theirs, PORT + 1)


@pytest.mark.daemons
def test_a_machine_that_boots_again_finds_nothing_of_before(tmp_path, workers):
    first, _ = workers
    with plugged(tmp_path, first) as names:
        inside = ["ip", "-n", names.machine(first.id), "link"]
        subprocess.run([*inside, "add", "cni0", "type", "bridge"], check=True)
        router.unplug(names, first)
        router.plug(names, first)
        shown = subprocess.run(inside, capture_output=True, text=True, check=True).stdout
        assert "ens5" in shown
        assert "cni0" not in shown


@pytest.mark.daemons
def test_what_runs_in_a_namespace_keeps_no_disk_of_a_machine(tmp_path, instance):
    with plugged(tmp_path, instance) as names:
        namespace = names.machine(instance.id)
        daemon = start_detached(
            [*namespaces.entering(namespace), "sleep", "60"],
            state=tmp_path,
            log=tmp_path / "log",
        )
        try:
            comm = Path(f"/proc/{daemon.pid}/comm")
            until("nsenter is done", lambda: comm.read_text() == "sleep\n", patience=10)
            network, mounts = (
                Path(f"/proc/{daemon.pid}/ns/{kind}").readlink() for kind in ("net", "mnt")
            )
        finally:
            daemon.stop(patience=1)
        assert network != Path("/proc/self/ns/net").readlink()
        assert mounts == Path("/proc/self/ns/mnt").readlink()
