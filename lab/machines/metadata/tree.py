"""Metadata of an instance, as a tree. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Union

from lab.machines.account import Instance
from lab.machines.network.dnsmasq import host_name

Tree = Mapping[str, Union[str, "Tree"]]

DATE = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class RoleKeys:
    """Temporary keys of a role, as an instance gets them."""

    role: str
    access_key: str
    secret_key: str
    token: str
    issued: datetime
    expires: datetime

    def document(self) -> str:
        """As `security-credentials/<role>` answers."""
        return json.dumps(
            {
                "Code": "Success",
                "LastUpdated": self.issued.strftime(DATE),
                "Type": "AWS-HMAC",
                "AccessKeyId": self.access_key,
                "SecretAccessKey": self.secret_key,
                "Token": self.token,
                "Expiration": self.expires.strftime(DATE),
            },
            indent=2,
        )


def metadata(instance: Instance, region: str, keys: RoleKeys | None) -> Tree:
    """The tree below `meta-data`."""
    subnet, address = instance.subnet, str(instance.address)
    name = f"{host_name(instance.address)}.{region}.compute.internal"
    interface = {
        "device-number": "0",
        "local-hostname": name,
        "local-ipv4s": address,
        "mac": instance.mac,
        "subnet-id": subnet.id,
        "subnet-ipv4-cidr-block": str(subnet.cidr),
        "vpc-id": subnet.vpc,
    }
    if instance.prefixes:
        interface["ipv4-prefix"] = "\n".join(map(str, instance.prefixes))
    tree: dict[str, str | Tree] = {
        "ami-id": instance.image,
        "hostname": name,
        "instance-id": instance.id,
        "instance-life-cycle": "spot" if instance.spot else "on-demand",
        "instance-type": instance.type,
        "local-hostname": name,
        "local-ipv4": address,
        "mac": instance.mac,
        "network": {"interfaces": {"macs": {instance.mac: interface}}},
        "placement": {"availability-zone": subnet.zone, "region": region},
        "services": {"domain": "amazonaws.com", "partition": "aws"},
    }
    if instance.target_lifecycle_state:
        tree["autoscaling"] = {"target-lifecycle-state": instance.target_lifecycle_state}
    if keys and instance.profile:
        tree["iam"] = {
            "info": json.dumps({"Code": "Success", "InstanceProfileArn": instance.profile}),
            "security-credentials": {keys.role: keys.document()},
        }
    return tree


def identity_document(instance: Instance, region: str, account: str) -> str:
    """`dynamic/instance-identity/document`."""
    return json.dumps(
        {
            "accountId": account,
            "architecture": "x86_64",
            "availabilityZone": instance.subnet.zone,
            "imageId": instance.image,
            "instanceId": instance.id,
            "instanceType": instance.type,
            "privateIp": str(instance.address),
            "region": region,
            "version": "2017-09-30",
        },
        indent=2,
    )


def lookup(tree: Tree, path: list[str]) -> str | None:
    """The text at a path: a value, or the names below, directories with a slash; None if there is
    nothing."""
    node: str | Tree = tree
    for part in path:
        if isinstance(node, str) or part not in node:
            return None
        node = node[part]
    if isinstance(node, str):
        return node
    return "\n".join(
        name if isinstance(value, str) else f"{name}/" for name, value in sorted(node.items())
    )
