"""Network of the pods: addresses of the VPC, from the prefixes of the instance's own interface.

Standard plug-ins and no daemon: ptp makes a pair of interfaces and a route to each pod, host-local
gives out addresses, portmap serves hostPort. EC2 brings what is for an address of a prefix
to the instance, so nothing is translated and nothing is encapsulated.
"""

import json
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from node import files
from node.contract import CNI_CONFIG
from node.errors import NodeError
from node.metadata import if_any, metadata
from node.settings import at

CNI_VERSION = "1.0.0"
"""Of the configuration's format: containerd 2 and the plug-ins 1.9 know it."""

RESERVATIONS = "/run/cni/networks"
"""Where host-local keeps who has which address. Not on disk, which is its default: no pod outlives
the boot that it was started in, and what a power cut left behind would stay reserved."""


def conflist(
    address: str, subnet: IPv4Network, prefixes: Sequence[IPv4Network], mtu: int | None
) -> str:
    """The configuration for an instance in a subnet. MTU in bytes; None for the kernel's default.

    The pods' first hop is the instance's own address, which ptp gives the host's end of each pair
    as well. host-local would take the first address of the subnet, which is the VPC's router; one
    outside the subnet cannot be reached when the default route is set.

    The ranges are one set, of which a pod gets one address; with a set each, it would get one of
    every set. They are parts of the whole subnet rather than subnets of 16 addresses, whose last
    ones would be broadcast addresses to every pod and could not be reached from there.
    """
    ranges = [
        {
            "subnet": str(subnet),
            "rangeStart": str(prefix[0]),
            "rangeEnd": str(prefix[-1]),
            "gateway": address,
        }
        for prefix in sorted(prefixes)
    ]
    ptp: dict[str, Any] = {
        "type": "ptp",
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": RESERVATIONS,
            "ranges": [ranges],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    if mtu is not None:
        ptp["mtu"] = mtu
    portmap = {
        "type": "portmap",
        "capabilities": {"portMappings": True},
        "snat": True,
        # Without it, iptables where that is installed, as on Debian's image, beside what kube-proxy
        # has in nftables.
        "backend": "nftables",
    }
    document = {"cniVersion": CNI_VERSION, "name": "ha-kubernetes", "plugins": [ptp, portmap]}
    return json.dumps(document, indent=1) + "\n"


def write() -> list[str]:
    """Bring the configuration up to date; what was done. Raises NodeError without prefixes."""
    address, mac = metadata("local-ipv4"), metadata("mac")
    interface = f"network/interfaces/macs/{mac}"
    try:
        subnet = IPv4Network(metadata(f"{interface}/subnet-ipv4-cidr-block"))
        prefixes = [IPv4Network(one) for one in (if_any(f"{interface}/ipv4-prefix") or "").split()]
    except ValueError as error:
        raise NodeError(f"the metadata of interface {mac} is damaged: {error}") from error
    if not prefixes:
        raise NodeError(
            f"interface {mac} has no IPv4 prefixes for pods: its subnet may have none left; "
            "replace this instance, or set network.podNetwork to none"
        )
    if not files.write(at(CNI_CONFIG), conflist(address, subnet, prefixes, mtu(mac))):
        return []
    return [f"pods get the addresses of {', '.join(map(str, sorted(prefixes)))}"]


def mtu(mac: str) -> int | None:
    """MTU of the interface of that hardware address, in bytes; None where none has it."""
    for interface in sorted(at("/sys/class/net").glob("*")):
        if (files.read(interface / "address") or "").strip().lower() == mac.lower():
            return _number(interface / "mtu")
    return None


def _number(path: Path) -> int | None:
    text = (files.read(path) or "").strip()
    return int(text) if text.isdigit() else None
