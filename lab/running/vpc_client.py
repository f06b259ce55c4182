"""A client in the VPC that is no instance: from there people reach the load balancer, and proofs
probe ports.

It is a namespace on a subnet that has machines, in a zone that is not cut off. Like an instance
whose own group lets everything out, nothing filters what it sends; what it reaches is up to the
others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from lab.atomic_file import write_atomically
from lab.lab_errors import LabError
from lab.machines.account import Account, Subnet
from lab.machines.host_programs import run
from lab.machines.lab_names import Names
from lab.machines.network import namespaces, router
from lab.machines.network.faults import Faults
from lab.running.lab import RunningLab

# The resolver's file is replaced for this one program, in a mount namespace of its own.
_SCRIPT = 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"'


@dataclass(frozen=True)
class Client:
    """A namespace with an address in the VPC."""

    namespace: str
    address: IPv4Address
    resolver: Path
    """Its /etc/resolv.conf."""

    def command(self, words: Sequence[str]) -> list[str]:
        """The command on this computer that runs one there. Pure."""
        enter = ["nsenter", f"--net={namespaces.DIRECTORY / self.namespace}", "unshare", "--mount"]
        return [*enter, "sh", "-ec", _SCRIPT, "client", str(self.resolver), *words]


def client(lab: RunningLab) -> Client:
    """The place, made if need be. Raises LabError when there is no subnet for it."""
    account = lab.account()
    subnet = choose_subnet(account, Faults.load(lab.layout.faults).zones)
    suffix = subnet.id[-12:]
    namespace = f"{lab.names.prefix}-client-{suffix}"
    resolver = lab.layout.base / "clients" / f"{suffix}.conf"
    if not (namespaces.DIRECTORY / namespace).exists():
        taken = (interface.address for interface in account.interfaces)
        pods = (prefix for interface in account.interfaces for prefix in interface.prefixes)
        address = free_address(subnet.cidr, taken, pods)
        plug(lab.names, namespace, f"c-{suffix}", subnet, address)
        write_atomically(resolver, f"nameserver {account.vpcs[subnet.vpc][2]}\n", 0o644)
    return Client(namespace, _address(namespace), resolver)


def choose_subnet(account: Account, partitioned: Iterable[str]) -> Subnet:
    """The subnet with machines and most addresses, outside of zones that are cut off. Pure.

    Not one of workers alone, whose last addresses are pods'. Raises LabError.
    """
    instances = [one for one in account.instances.values() if one.pool is None]
    subnets = {one.subnet.id: one.subnet for one in instances}
    zones = set(partitioned)
    fit = [subnet for subnet in subnets.values() if subnet.zone not in zones]
    if not fit:
        raise LabError("No zone with machines is left to reach the cluster from: `lab heal` first.")
    return min(fit, key=lambda subnet: (-subnet.cidr.num_addresses, subnet.zone, subnet.id))


def free_address(
    cidr: IPv4Network, taken: Iterable[IPv4Address], prefixes: Iterable[IPv4Network] = ()
) -> IPv4Address:
    """The last address that nobody has, but AWS's own: the first four and the last; nor is in one
    of the prefixes. Pure.

    Raises LabError when the subnet is full.
    """
    used, pods = set(taken), list(prefixes)
    for number in range(cidr.num_addresses - 2, 3, -1):
        address = cidr[number]
        if address not in used and not any(address in prefix for prefix in pods):
            return address
    raise LabError(f"Every address of {cidr} is taken.")


def plug(names: Names, namespace: str, link: str, subnet: Subnet, address: IPv4Address) -> None:
    """Make a namespace with an address of a subnet, and its cable to the router."""
    router.lay_cable(names, namespace, link, subnet, inside="eth0")
    router.give_address(namespace, "eth0", address, subnet)


def _address(namespace: str) -> IPv4Address:
    line = run("ip", "-n", namespace, "-o", "-4", "address", "show", "dev", "eth0")
    if not line:
        raise LabError(
            f"{namespace} was left half made: `ip netns delete {namespace}`, then again."
        )
    return IPv4Address(line.split()[3].partition("/")[0])
