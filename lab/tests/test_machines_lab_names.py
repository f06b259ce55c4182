"""DHCP and DNS as dnsmasq is told, and names of what the lab makes."""

import shutil
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lab.machines.lab_names import Names, bridge, port
from lab.machines.network.dnsmasq import configuration, dhcp_hosts, hosts


def test_every_subnet_is_served(account, tmp_path):
    text = configuration(account, "eu-central-1", ["dl.k8s.io"], str(tmp_path))
    assert text.splitlines()[-4:] == [
        "interface=s-56789abcdef0",
        "dhcp-range=set:s-56789abcdef0,10.0.224.0,static,255.255.255.240,1h",
        "dhcp-option=tag:s-56789abcdef0,option:router,10.0.224.1",
        "dhcp-option=tag:s-56789abcdef0,option:dns-server,10.0.0.2",
    ]


def test_nothing_is_asked_outside(account, tmp_path):
    lines = configuration(account, "eu-central-1", [], str(tmp_path)).splitlines()
    assert {"no-resolv", "no-hosts", "local=/#/"} <= set(lines)
    assert not [line for line in lines if line.startswith("server=")]


def test_instances_get_their_address_and_name(instance):
    assert dhcp_hosts([instance]) == "02:00:00:aa:bb:cc,10.0.224.4,ip-10-0-224-4,1h\n"
    assert hosts([instance], "eu-central-1") == (
        "10.0.224.4 ip-10-0-224-4.eu-central-1.compute.internal\n"
    )


def test_a_load_balancer_has_all_its_addresses():
    name = "local-api-1.elb.eu-central-1.amazonaws.com"
    addresses = [IPv4Address("10.0.32.9"), IPv4Address("10.0.0.9")]
    assert hosts([], "eu-central-1", {name: addresses}) == f"10.0.0.9 {name}\n10.0.32.9 {name}\n"


def test_dnsmasq_takes_it(account, tmp_path):
    if shutil.which("dnsmasq") is None:
        pytest.skip("dnsmasq is not installed")
    file = tmp_path / "dnsmasq.conf"
    file.write_text(configuration(account, "eu-central-1", ["dl.k8s.io"], str(tmp_path)))
    done = subprocess.run(
        ["dnsmasq", "--test", f"--conf-file={file}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_links_fit_the_kernels_limit():
    assert bridge("subnet-0123456789abcdef0") == "s-56789abcdef0"
    assert port("i-0123456789abcdef0") == "p-56789abcdef0"
    assert len(bridge("subnet-0123456789abcdef0")) <= 15


def test_two_labs_do_not_meet():
    one, other = Names.of(Path("/a/.lab")), Names.of(Path("/b/.lab"))
    assert one.prefix != other.prefix
    assert one == Names.of(Path("/a/.lab"))
    assert one.machine("i-1").startswith(f"{one.prefix}-")
    assert one.router.startswith(f"{one.prefix}-")
