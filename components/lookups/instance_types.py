"""Instance types: offered in the zones where they are wanted, able to run what is installed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.lookups.aws_queries import LookupFailedError, ask
from components.lookups.machine_image import AWS_ARCHITECTURE
from config import ClusterSettings

Offers = Mapping[str, frozenset[str]]
"""Zones that offer an instance type, by type."""


@dataclass(frozen=True)
class Wish:
    """An instance type that a key of the configuration asks for."""

    key: str
    instance_type: str


def wishes(settings: ClusterSettings) -> tuple[Wish, Wish]:
    """The instance types of both tiers."""
    return (
        Wish("etcd.instanceType", settings.instance_type(settings.etcd.instance_type)),
        Wish("api.instanceType", settings.instance_type(settings.api.instance_type)),
    )


def look_up_offers(settings: ClusterSettings, region: str, opts: pulumi.InvokeOptions) -> Offers:
    """Which zones offer the types of the configuration.

    Raises LookupFailedError for a type that the region does not know, and for one that cannot run
    the cluster.
    """
    types = sorted({wish.instance_type for wish in wishes(settings)})
    answer = ask(
        "etcd.instanceType",
        lambda: aws.ec2.get_instance_type_offerings(
            location_type="availability-zone",
            filters=[
                aws.ec2.GetInstanceTypeOfferingsFilterArgs(name="instance-type", values=types)
            ],
            opts=opts,
        ),
    )
    pairs = list(zip(answer.instance_types, answer.locations, strict=True))
    offers = {name: frozenset(zone for offer, zone in pairs if offer == name) for name in types}
    problems = [
        f"{wish.key}: must be an instance type that {region} offers, got {wish.instance_type}"
        for wish in wishes(settings)
        if not offers[wish.instance_type]
    ]
    details = {
        name: ask(
            "etcd.instanceType",
            lambda name=name: aws.ec2.get_instance_type(name, opts=opts),  # type: ignore[misc]
        )
        for name in types
        if offers[name]
    }
    for wish in wishes(settings):
        if wish.instance_type in details:
            problems += _unfit(wish, details[wish.instance_type], settings)
    if problems:
        raise LookupFailedError("\n".join(problems))
    return offers


def _unfit(
    wish: Wish, found: aws.ec2.GetInstanceTypeResult, settings: ClusterSettings
) -> Iterator[str]:
    architecture = AWS_ARCHITECTURE[settings.architecture]
    if architecture not in found.supported_architectures:
        yield (
            f"{wish.key}: must be an instance type of architecture {settings.architecture}, got "
            f"{wish.instance_type}, which is {', '.join(found.supported_architectures)}"
        )
    # Xen types, of the generations before Nitro, show a volume under a name without its id.
    if found.ebs_nvme_support == "unsupported":
        yield (
            f"{wish.key}: must be an instance type on Nitro, got {wish.instance_type}: machines "
            "find their volume by the id that NVMe shows"
        )


def zones_with_all(offers: Offers, zones: Iterable[str]) -> list[str]:
    """Those zones that offer every type."""
    return [zone for zone in zones if all(zone in offering for offering in offers.values())]


def missing_in(offers: Offers, wish: Wish, zones: Iterable[str]) -> str | None:
    """What is wrong with a type in the zones of its tier; None when each offers it."""
    lacking = sorted(set(zones) - offers[wish.instance_type])
    if not lacking:
        return None
    return (
        f"{wish.key}: must be offered in every zone of its machines, got {wish.instance_type}, "
        f"which {', '.join(lacking)} lacks ({', '.join(sorted(offers[wish.instance_type]))} offer "
        "it)"
    )
