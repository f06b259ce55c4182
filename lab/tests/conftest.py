"""Values that the tests of the machines share."""

from ipaddress import IPv4Address, IPv4Network

import pytest

from lab.machines.account import Account, Group, Instance, Interface, Rule, Subnet

VPC = "vpc-0123456789abcdef0"
CIDR = IPv4Network("10.0.0.0/16")


@pytest.fixture
def subnet() -> Subnet:
    return Subnet("subnet-0123456789abcdef0", VPC, "eu-central-1a", IPv4Network("10.0.224.0/28"))


@pytest.fixture
def instance(subnet) -> Instance:
    return Instance(
        id="i-0123456789abcdef0",
        state="running",
        image="ami-0d13a0000000a0910",
        type="m6i.large",
        subnet=subnet,
        mac="02:00:00:aa:bb:cc",
        address=IPv4Address("10.0.224.4"),
        groups=("sg-etcd",),
        profile="arn:aws:iam::123456789012:instance-profile/local-etcd-0",
        hop_limit=1,
        tokens_required=True,
        metadata=True,
        volumes=("vol-0123456789abcdef0",),
        name="local-etcd-0",
    )


@pytest.fixture
def account(subnet, instance) -> Account:
    return Account(
        instances={instance.id: instance},
        subnets={subnet.id: subnet},
        groups={
            "sg-etcd": Group(
                "sg-etcd",
                (Rule("tcp", (2380, 2380), None, "sg-etcd"),),
                (Rule("tcp", (443, 443), "0.0.0.0/0", None),),
            )
        },
        interfaces=(Interface(instance.address, ("sg-etcd",)),),
        vpcs={VPC: CIDR},
        volumes={"vol-0123456789abcdef0": 1},
    )
