"""Identity of a worker: who it is to Kubernetes and to AWS, in node.env, from the metadata.

All machines of a pool have one user data, so none of this is in node.json. The provider id is what
the AWS cloud provider knows a Node by.
"""

from dataclasses import dataclass

from node import files
from node.contract import NODE_ENV, worker_name
from node.errors import NodeError
from node.metadata import metadata
from node.settings import at


@dataclass(frozen=True)
class Identity:
    """This instance."""

    address: str
    """Private IPv4 address."""
    name: str
    """Name of the Node."""
    instance: str
    """i-0123..."""
    zone: str
    region: str
    instance_type: str

    @property
    def provider_id(self) -> str:
        """As the AWS cloud provider writes it into a Node."""
        return f"aws:///{self.zone}/{self.instance}"

    def environment(self) -> str:
        """node.env, for units (`EnvironmentFile=`)."""
        values = {
            "NODE_ADDRESS": self.address,
            "NODE_NAME": self.name,
            "PROVIDER_ID": self.provider_id,
            "ZONE": self.zone,
            "REGION": self.region,
            "INSTANCE_TYPE": self.instance_type,
        }
        return "".join(f"{name}={value}\n" for name, value in values.items())


def ask() -> Identity:
    """What the metadata service says. Raises NodeError when it does not answer."""
    address, region = metadata("local-ipv4"), metadata("placement/region")
    return Identity(
        address=address,
        name=worker_name(address, region),
        instance=metadata("instance-id"),
        zone=metadata("placement/availability-zone"),
        region=region,
        instance_type=metadata("instance-type"),
    )


def write() -> list[str]:
    """Bring node.env up to date; what was done; raises as `ask`."""
    found = ask()
    if files.write(at(NODE_ENV), found.environment()):
        return [f"this is {found.name}, {found.provider_id}"]
    return []


def known() -> Identity | None:
    """What node.env says; None before `prepare` wrote it, or when it is damaged."""
    return parse(files.read(at(NODE_ENV)) or "")


def parse(environment: str) -> Identity | None:
    """The identity in a text of node.env; None when it is not one."""
    values = dict(line.split("=", 1) for line in environment.splitlines() if "=" in line)
    try:
        identity = Identity(
            address=values["NODE_ADDRESS"],
            name=values["NODE_NAME"],
            instance=values["PROVIDER_ID"].rpartition("/")[2],
            zone=values["ZONE"],
            region=values["REGION"],
            instance_type=values["INSTANCE_TYPE"],
        )
    except KeyError:
        return None
    return identity if identity.name and identity.instance else None


def insist() -> Identity:
    """What node.env says. Raises NodeError where it says nothing."""
    if identity := known():
        return identity
    raise NodeError(f"{at(NODE_ENV)} does not say which worker this is: run ha-node prepare")
