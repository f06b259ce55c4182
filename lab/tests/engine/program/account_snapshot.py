"""Snapshot of the emulated account."""

import base64
import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.cloud.emulator_server import Server
from lab.cloud.inventory import Inventory
from lab.machines.account import Clients
from lab.stack import cloud

RUNNING = ({"Name": "instance-state-name", "Values": ["running"]},)


@dataclass(frozen=True)
class RunningInstance:
    """A running instance."""

    id: str
    address: str
    volumes: frozenset[str]
    """The volumes attached to it, its root disk left out."""


@dataclass(frozen=True)
class AccountSnapshot:
    """The account at one moment. Everything is named by its tag `Name` or its path."""

    inventory: Inventory
    machines: Mapping[str, RunningInstance]
    user_data: Mapping[str, bytes]
    volumes: Mapping[str, str]
    parameters: Mapping[str, tuple[int, str]]
    """Version and value; of a secret value a digest."""
    targets: frozenset[str]


def take_snapshot(server: Server) -> AccountSnapshot:
    """Ask for everything."""
    clients = cloud.clients(server)
    ec2 = clients("ec2")
    machines = running_instances(ec2)
    return AccountSnapshot(
        inventory=server.inventory(),
        machines=machines,
        user_data={name: _user_data(ec2, machine.id) for name, machine in machines.items()},
        volumes={
            _name(volume): volume["VolumeId"]
            for volume in ec2.describe_volumes()["Volumes"]
            if _name(volume).endswith("-data")
        },
        parameters=_parameters(clients("ssm")),
        targets=targets(clients),
    )


def running_instances(ec2: Any) -> dict[str, RunningInstance]:
    """The running instances, by name."""
    found = {}
    for page in ec2.get_paginator("describe_instances").paginate(Filters=list(RUNNING)):
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                # One that ends in this very moment: moto takes its interface away before it changes
                # its state.
                if "PrivateIpAddress" not in instance:
                    continue
                name = _name(instance)
                # A successor that is created first shares its name with the one that goes.
                key = name if name not in found else f"{name} ({instance['InstanceId']})"
                found[key] = RunningInstance(
                    instance["InstanceId"],
                    instance["PrivateIpAddress"],
                    frozenset(
                        device["Ebs"]["VolumeId"]
                        for device in instance["BlockDeviceMappings"]
                        if device["DeviceName"] != instance["RootDeviceName"]
                    ),
                )
    return found


def targets(clients: Clients) -> frozenset[str]:
    """The addresses that are registered with the load balancer."""
    elb = clients("elbv2")
    return frozenset(
        health["Target"]["Id"]
        for group in elb.describe_target_groups()["TargetGroups"]
        for health in elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
            "TargetHealthDescriptions"
        ]
    )


def _name(resource: Mapping[str, Any]) -> str:
    return next((tag["Value"] for tag in resource.get("Tags", []) if tag["Key"] == "Name"), "")


def _user_data(ec2: Any, instance_id: str) -> bytes:
    answer = ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
    return base64.b64decode(answer["UserData"]["Value"])


def _parameters(ssm: Any) -> dict[str, tuple[int, str]]:
    pages = ssm.get_paginator("describe_parameters").paginate()
    names = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
    found = {}
    for start in range(0, len(names), 10):
        answer = ssm.get_parameters(Names=names[start : start + 10], WithDecryption=True)
        for parameter in answer["Parameters"]:
            value = parameter["Value"]
            if parameter["Type"] == "SecureString":
                value = hashlib.sha256(value.encode()).hexdigest()
            found[parameter["Name"]] = (parameter["Version"], value)
    return found


@dataclass(frozen=True)
class Sample:
    """What was there at one moment of an update."""

    machines: Mapping[str, RunningInstance]
    targets: frozenset[str]

    def members(self) -> frozenset[str]:
        """The etcd members that could serve: machines that run with their disk."""
        return frozenset(
            name for name, machine in self.machines.items() if "etcd" in name and machine.volumes
        )

    def servers(self) -> frozenset[str]:
        """The addresses of the API servers that run and are registered."""
        return self.targets & {machine.address for machine in self.machines.values()}


@contextmanager
def sampled(clients: Clients, seconds: float = 1.0) -> Iterator[list[Sample]]:
    """Samples of the account, taken while the block runs."""
    samples: list[Sample] = []
    ended = threading.Event()

    def sample() -> None:
        ec2 = clients("ec2")
        while not ended.is_set():
            # Targets first: a machine that ends in between is then counted as gone.
            registered = targets(clients)
            samples.append(Sample(running_instances(ec2), registered))
            ended.wait(seconds)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield samples
    finally:
        ended.set()
        sampler.join()
