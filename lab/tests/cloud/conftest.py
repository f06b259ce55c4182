"""One emulator for the tests of this directory, a network in it, and its clients."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from botocore.config import Config

from lab.cloud import aws_environment, emulator_server

IMAGE_OWNER = "136693071363"
_networks = itertools.count()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory) -> Iterator[emulator_server.Server]:
    running = emulator_server.start(tmp_path_factory.mktemp("emulator"), port=0)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def aws(emulator):
    """Makes clients of the emulated AWS by service name."""
    session = aws_environment.session()
    config = Config(retries={"total_max_attempts": 1})

    @cache
    def make(service: str) -> Any:
        return session.client(service, endpoint_url=emulator.endpoint, config=config)

    return make


@pytest.fixture(scope="session")
def ec2(aws):
    return aws("ec2")


@pytest.fixture(scope="session")
def image(ec2) -> str:
    return ec2.describe_images(Owners=[IMAGE_OWNER])["Images"][0]["ImageId"]


@dataclass
class Network:
    """A VPC with one subnet in zone a and one in zone b, and a security group."""

    ec2: Any
    image: str
    vpc: str
    subnet: str
    other_subnet: str
    group: str

    def launch(self, **overrides: Any) -> dict[str, Any]:
        arguments = {
            "ImageId": self.image,
            "InstanceType": "t3.small",
            "MinCount": 1,
            "MaxCount": 1,
            "SubnetId": self.subnet,
            "SecurityGroupIds": [self.group],
        }
        instance = self.ec2.run_instances(**arguments | overrides)["Instances"][0]
        return self.read(instance["InstanceId"])

    def read(self, instance_id: str) -> dict[str, Any]:
        found = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return found[0]["Instances"][0]

    def terminate(self, instance: dict[str, Any]) -> None:
        self.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])


@pytest.fixture
def network(ec2, image) -> Network:
    number = next(_networks)
    vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.{number}.{index}.0/28", AvailabilityZone=f"eu-central-1{zone}"
        )["Subnet"]["SubnetId"]
        for index, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc)
    return Network(ec2, image, vpc, *subnets, group["GroupId"])


@pytest.fixture
def address(network, ec2) -> str:
    """A free address of the network's first subnet."""
    cidr = ec2.describe_subnets(SubnetIds=[network.subnet])["Subnets"][0]["CidrBlock"]
    return cidr.replace("0/28", "10")
