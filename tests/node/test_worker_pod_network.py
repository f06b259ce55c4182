"""Network of the pods: what the plug-ins get, from the metadata of the instance's interface."""

import json
from ipaddress import IPv4Network

import pytest

from node.errors import NodeError
from node.worker import pod_network
from node.worker.pod_network import conflist
from tests.node.doubles import Metadata
from tests.node.worker_node import INTERFACE, ITEMS, MAC

SUBNET = IPv4Network("10.0.224.0/20")
PREFIXES = [IPv4Network("10.0.228.32/28"), IPv4Network("10.0.228.0/28")]


@pytest.fixture
def metadata(root, aws, monkeypatch):
    items = dict(ITEMS)
    monkeypatch.setattr(Metadata, "items", items)
    return items


def plugins(text):
    return {one["type"]: one for one in json.loads(text)["plugins"]}


def test_a_pod_gets_one_address_of_all_prefixes():
    ptp = plugins(conflist("10.0.224.4", SUBNET, PREFIXES, 9001))["ptp"]
    (one_set,) = ptp["ipam"]["ranges"]
    assert one_set == [
        {
            "subnet": "10.0.224.0/20",
            "rangeStart": start,
            "rangeEnd": end,
            "gateway": "10.0.224.4",
        }
        for start, end in (("10.0.228.0", "10.0.228.15"), ("10.0.228.32", "10.0.228.47"))
    ]
    assert ptp["mtu"] == 9001
    assert ptp["ipam"]["routes"] == [{"dst": "0.0.0.0/0"}]
    # Nothing that was reserved before a power cut is after it.
    assert ptp["ipam"]["dataDir"].startswith("/run/")


def test_nothing_is_translated_between_pods_and_the_vpc():
    assert plugins(conflist("10.0.224.4", SUBNET, PREFIXES, None))["ptp"]["ipMasq"] is False


def test_host_ports_are_served_and_an_unknown_mtu_is_left_to_the_kernel():
    found = plugins(conflist("10.0.224.4", SUBNET, PREFIXES, None))
    assert found["portmap"]["capabilities"] == {"portMappings": True}
    assert "mtu" not in found["ptp"]


def test_it_is_written_once(metadata, root):
    interface = root / "sys/class/net/ens5"
    interface.mkdir(parents=True)
    (interface / "address").write_text(f"{MAC}\n")
    (interface / "mtu").write_text("9001\n")
    (root / "sys/class/net/lo").mkdir()
    (root / "sys/class/net/lo/address").write_text("00:00:00:00:00:00\n")
    assert pod_network.write() == ["pods get the addresses of 10.0.228.0/28, 10.0.228.32/28"]
    text = (root / "etc/cni/net.d/10-ha-kubernetes.conflist").read_text()
    assert text == conflist("10.0.224.4", SUBNET, PREFIXES, 9001)
    assert pod_network.write() == []


def test_an_interface_without_prefixes_says_what_to_do(metadata, root):
    del metadata[f"{INTERFACE}/ipv4-prefix"]
    with pytest.raises(NodeError, match=r"no IPv4 prefixes.*network.podNetwork"):
        pod_network.write()
    assert not (root / "etc/cni").exists()


def test_damaged_metadata_is_no_configuration(metadata):
    metadata[f"{INTERFACE}/ipv4-prefix"] = "<html>"
    with pytest.raises(NodeError, match="is damaged"):
        pod_network.write()


@pytest.mark.parametrize("mtu", ["", "x", None])
def test_an_mtu_that_cannot_be_read_is_left_to_the_kernel(root, mtu):
    interface = root / "sys/class/net/eth0"
    interface.mkdir(parents=True)
    (interface / "address").write_text(MAC.upper())
    if mtu is not None:
        (interface / "mtu").write_text(mtu)
    assert pod_network.mtu(MAC) is None
