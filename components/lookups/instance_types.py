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
class InstanceTypes:
    """What AWS says of the instance types of a configuration."""

    offers: Offers
    interface_addresses: Mapping[str, int]
    """IPv4 addresses that an interface may have, by type: its own, and others or prefixes."""


@dataclass(frozen=True)
class ConfiguredType:
    """An instance type that a key of the configuration asks for."""

    key: str
    name: str
    """Of the type."""

    @property
    def is_of_pool(self) -> bool:
        """Whether workers have it."""
        return self.key.startswith("workers.")


def configured_types(settings: ClusterSettings) -> tuple[ConfiguredType, ...]:
    """The instance types of both tiers and of every pool."""
    chosen = {
        "etcd.instanceType": settings.etcd.instance_type,
        "api.instanceType": settings.api.instance_type,
        **{
            f"workers.{name}.instanceType": pool.instance_type
            for name, pool in sorted(settings.workers.items())
        },
    }
    return tuple(ConfiguredType(key, settings.instance_type(chosen[key])) for key in chosen)


def look_up_types(
    settings: ClusterSettings, region: str, opts: pulumi.InvokeOptions
) -> InstanceTypes:
    """Which zones offer the types of the configuration, and what else counts of them.

    Raises LookupFailedError for a type that the region does not know, and for one that cannot run
    the cluster.
    """
    types = sorted({configured.name for configured in configured_types(settings)})
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
        f"{configured.key}: must be an instance type that {region} offers, got {configured.name}"
        for configured in configured_types(settings)
        if not offers[configured.name]
    ]
    details = {
        name: ask(
            "etcd.instanceType",
            lambda name=name: aws.ec2.get_instance_type(name, opts=opts),  # type: ignore[misc]
        )
        for name in types
        if offers[name]
    }
    for configured in configured_types(settings):
        if configured.name in details:
            problems += _unfit(configured, details[configured.name], settings)
    if problems:
        raise LookupFailedError("\n".join(problems))
    addresses = {
        name: found.maximum_ipv4_addresses_per_interface for name, found in details.items()
    }
    return InstanceTypes(offers, addresses)


def _unfit(
    configured: ConfiguredType, found: aws.ec2.GetInstanceTypeResult, settings: ClusterSettings
) -> Iterator[str]:
    architecture = AWS_ARCHITECTURE[settings.architecture]
    if architecture not in found.supported_architectures:
        yield (
            f"{configured.key}: must be an instance type of architecture "
            f"{settings.architecture}, got {configured.name}, which is "
            f"{', '.join(found.supported_architectures)}"
        )
    # Xen types, of the generations before Nitro, show a volume under a name without its id, and
    # their interfaces take no prefixes.
    if found.ebs_nvme_support == "unsupported":
        because = (
            "their pods have prefixes of the subnet, which no other interface takes"
            if configured.is_of_pool
            else "machines find their volume by the id that NVMe shows"
        )
        yield (
            f"{configured.key}: must be an instance type on Nitro, got {configured.name}: {because}"
        )


def zones_with_all(offers: Offers, zones: Iterable[str]) -> list[str]:
    """Those zones that offer every type."""
    return [zone for zone in zones if all(zone in offering for offering in offers.values())]


def missing_in(offers: Offers, configured: ConfiguredType, zones: Iterable[str]) -> str | None:
    """What is wrong with a type in the zones of its tier; None when each offers it."""
    lacking = sorted(set(zones) - offers[configured.name])
    if not lacking:
        return None
    return (
        f"{configured.key}: must be offered in every zone of its machines, got "
        f"{configured.name}, which {', '.join(lacking)} lacks "
        f"({', '.join(sorted(offers[configured.name]))} offer it)"
    )
