"""Workers and pods of somebody else: namespaces in the VPC that no stack declares.

A worker is what anybody's instance is to the cluster: a network interface in the workers' security
group, filtered by the rules of that group. A pod is an address of `network.workerCidrs` without a
security group of the account.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from lab.lab_errors import LabError
from lab.machines import firewall
from lab.machines.account import Account, Subnet
from lab.machines.network import namespaces, router
from lab.running.lab import RunningLab
from lab.running.vpc_client import plug

DESCRIPTION = "a worker of the proofs"


@dataclass(frozen=True)
class Guest:
    """A namespace with an address in the VPC."""

    name: str
    namespace: str
    address: IPv4Address


@contextmanager
def workers(lab: RunningLab, group: str, subnets: Sequence[Subnet]) -> Iterator[list[Guest]]:
    """A worker in each of the subnets; they go however the proof ends.

    Raises LabError, and botocore's errors when the account refuses.
    """
    ec2 = lab.aws("ec2")
    _remove_interfaces(ec2)
    with ExitStack() as stack:
        stack.callback(_remove_interfaces, ec2)
        found = []
        for number, subnet in enumerate(subnets):
            made = ec2.create_network_interface(
                SubnetId=subnet.id, Groups=[group], Description=DESCRIPTION
            )
            address = IPv4Address(made["NetworkInterface"]["PrivateIpAddress"])
            found.append(stack.enter_context(_guest(lab, f"worker-{number}", subnet, address)))
        # Once all of them are members of the group.
        account = lab.account()
        for guest, subnet in zip(found, subnets, strict=True):
            vpc = account.vpcs[subnet.vpc]
            rules = firewall.ruleset([group], account.groups, account.interfaces, vpc)
            namespaces.load_rules(guest.namespace, rules)
        yield found


@contextmanager
def pod(lab: RunningLab, cidr: IPv4Network) -> Iterator[Guest]:
    """A pod with the first free address of a CIDR that lies in a subnet; it goes however the proof
    ends. Raises LabError."""
    account = lab.account()
    subnet = subnet_of(account, cidr)
    taken = {interface.address for interface in account.interfaces}
    address = next((one for one in cidr if one not in taken and one != subnet.cidr[0]), None)
    if address is None:
        raise LabError(f"Every address of {cidr} is taken.")
    with _guest(lab, "pod", subnet, address) as guest:
        yield guest


def subnet_of(account: Account, cidr: IPv4Network) -> Subnet:
    """The subnet that a CIDR lies in. Pure. Raises LabError."""
    for subnet in account.subnets.values():
        if cidr.subnet_of(subnet.cidr):
            return subnet
    raise LabError(f"No subnet of the VPC holds {cidr}, so no pod can have an address of it.")


@contextmanager
def _guest(lab: RunningLab, name: str, subnet: Subnet, address: IPv4Address) -> Iterator[Guest]:
    namespace, link = f"{lab.names.prefix}-guest-{name}", f"g-{name}"

    def remove() -> None:
        router.remove_cable(lab.names, link)
        namespaces.delete(namespace)

    # What a proof that was killed left behind has another address.
    remove()
    try:
        plug(lab.names, namespace, link, subnet, address)
        yield Guest(name, namespace, address)
    finally:
        remove()


def _remove_interfaces(ec2: Any) -> None:  # noqa: ANN401 - a client made by name has no type
    left = ec2.describe_network_interfaces(
        Filters=[{"Name": "description", "Values": [DESCRIPTION]}]
    )
    for interface in left["NetworkInterfaces"]:
        ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
