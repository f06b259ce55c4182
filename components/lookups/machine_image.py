"""Machine image: the configured one, the one that the cluster has, or the newest Debian 13."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi
import pulumi_aws as aws

from components.lookups.aws_queries import LookupFailedError, ask
from components.lookups.cluster_record import Record
from config import ClusterSettings

DEBIAN_OWNER = "136693071363"
"""The Debian project's AWS account (wiki.debian.org/Cloud/AmazonEC2Image)."""

AWS_ARCHITECTURE = {"amd64": "x86_64", "arm64": "arm64"}

RUNBOOK = "docs/runbooks/replace-the-image.md"


@dataclass(frozen=True)
class MachineImage:
    """An image, as far as instances are made from it."""

    id: str
    root_device: str
    """Name of its root device, such as /dev/xvda."""


def choose_image(
    settings: ClusterSettings, record: Record, region: str, opts: pulumi.InvokeOptions
) -> MachineImage:
    """The image of every instance.

    A cluster keeps the image that it was made with, for instances that come later or are replaced
    too, until `ami` names another: Debian publishes one every few weeks, and that must not replace
    the instances of a cluster that nobody meant to touch. Raises LookupFailedError.
    """
    if settings.ami is not None:
        return _existing(settings, settings.ami, f"must exist in {region}", opts)
    recorded_architecture = record.fixed.get("architecture")
    if record.image_id is None or recorded_architecture != settings.architecture:
        image = _newest(settings, region, opts)
        return MachineImage(image.id, image.root_device_name)
    gone = (
        "must be set: the image of this cluster's machines is gone, and a machine that is replaced "
        f"would not start: {RUNBOOK}"
    )
    return _existing(settings, record.image_id, gone, opts)


def _newest(
    settings: ClusterSettings, region: str, opts: pulumi.InvokeOptions
) -> aws.ec2.GetAmiResult:
    def find() -> aws.ec2.GetAmiResult:
        return aws.ec2.get_ami(
            owners=[DEBIAN_OWNER],
            most_recent=True,
            filters=[
                aws.ec2.GetAmiFilterArgs(
                    name="name", values=[f"debian-13-{settings.architecture}-*"]
                ),
                aws.ec2.GetAmiFilterArgs(
                    name="architecture", values=[AWS_ARCHITECTURE[settings.architecture]]
                ),
            ],
            opts=opts,
        )

    question = (
        f"ami: must be set, unless {region} has an image of Debian 13 ({settings.architecture})"
    )
    return ask(question, find)


def _existing(
    settings: ClusterSettings, image_id: str, rule: str, opts: pulumi.InvokeOptions
) -> MachineImage:
    """The image of this id, which may be deprecated. AWS deprecates public images after two years
    at the latest, and hides them from searches; instances still start from them."""
    image = ask(
        f"ami: {rule}, got {image_id}",
        lambda: aws.ec2.get_ami(
            include_deprecated=True,
            filters=[aws.ec2.GetAmiFilterArgs(name="image-id", values=[image_id])],
            opts=opts,
        ),
    )
    architecture = AWS_ARCHITECTURE[settings.architecture]
    if image.architecture != architecture:
        raise LookupFailedError(
            f"ami: must be of architecture {settings.architecture} ({architecture}), got "
            f"{image_id}, which is {image.architecture}"
        )
    if _is_past(image.deprecation_time):
        pulumi.log.warn(
            f"ami: {image_id} is deprecated since {image.deprecation_time}: its owner may delete "
            f"it, and then no machine can be replaced any more: {RUNBOOK}"
        )
    return MachineImage(image.id, image.root_device_name)


def _is_past(time: str | None) -> bool:
    """Whether a time of EC2, such as 2026-08-14T22:10:31.000Z, is over; an empty one never is."""
    return bool(time) and datetime.fromisoformat(str(time)) <= datetime.now(UTC)
