"""What only AWS knows: the account, the zones, the image. Asked once, before any resource."""

from dataclasses import dataclass

import pulumi_aws as aws

from components.node_policy import Account
from config import ClusterSettings

DEBIAN_OWNER = "136693071363"
"""The Debian project's AWS account (wiki.debian.org/Cloud/AmazonEC2Image)."""

AWS_ARCHITECTURE = {"amd64": "x86_64", "arm64": "arm64"}


class LookupFailedError(Exception):
    """AWS has not what the configuration names, or did not answer. One sentence."""


@dataclass(frozen=True)
class Environment:
    """Where a cluster is built."""

    account: Account
    zones: tuple[str, ...]
    """Names of the availability zones, in the order that members are spread over them."""
    image_id: str


def look_up(settings: ClusterSettings) -> Environment:
    """Ask AWS for what the configuration needs.

    Raises LookupFailedError when the region or the credentials are missing, the region lacks a
    zone, or the image does not exist or has another architecture.
    """
    region = aws.config.region
    if not region:
        raise LookupFailedError(
            "aws:region: must be set, for example with `pulumi config set aws:region eu-central-1`"
        )
    try:
        identity = aws.get_caller_identity()
        partition = aws.get_partition().partition
    except Exception as error:
        raise LookupFailedError(f"AWS credentials: {_reason(error)}") from None
    return Environment(
        account=Account(partition, region, identity.account_id),
        zones=_zones(settings, region),
        image_id=_image(settings),
    )


def _zones(settings: ClusterSettings, region: str) -> tuple[str, ...]:
    found = aws.get_availability_zones(
        state="available",
        # Local and wavelength zones lack network load balancers and most instance types.
        filters=[
            aws.GetAvailabilityZonesFilterArgs(name="zone-type", values=["availability-zone"])
        ],
    )
    available = sorted(found.names)
    wanted = settings.network.zones
    if settings.network.existing is not None:
        wanted = sorted(settings.network.existing.zones)
    if isinstance(wanted, int):
        if len(available) < wanted:
            raise LookupFailedError(
                f"network.zones: {region} has {len(available)} zones ({', '.join(available)}), "
                f"got {wanted}"
            )
        return tuple(available[:wanted])
    missing = [zone for zone in wanted if zone not in available]
    if missing:
        raise LookupFailedError(
            f"network.zones: must be zones of {region} ({', '.join(available)}), "
            f"got {', '.join(missing)}"
        )
    return tuple(wanted)


def _image(settings: ClusterSettings) -> str:
    architecture = AWS_ARCHITECTURE[settings.architecture]
    if settings.ami is None:
        image = aws.ec2.get_ami(
            owners=[DEBIAN_OWNER],
            most_recent=True,
            filters=[
                aws.ec2.GetAmiFilterArgs(
                    name="name", values=[f"debian-13-{settings.architecture}-*"]
                ),
                aws.ec2.GetAmiFilterArgs(name="architecture", values=[architecture]),
            ],
        )
        return image.id
    try:
        image = aws.ec2.get_ami(
            filters=[aws.ec2.GetAmiFilterArgs(name="image-id", values=[settings.ami])]
        )
    except Exception as error:
        raise LookupFailedError(f"ami: must exist, got {settings.ami} ({_reason(error)})") from None
    if image.architecture != architecture:
        raise LookupFailedError(
            f"ami: must be of architecture {settings.architecture} ({architecture}), got "
            f"{settings.ami}, which is {image.architecture}"
        )
    return image.id


def _reason(error: Exception) -> str:
    """The last line of what a provider says: the one that names the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
