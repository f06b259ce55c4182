"""AwsContext: account, zones and image, asked of AWS once, before any resource."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.lookups.aws_queries import LookupFailedError, ask, reason
from components.lookups.cluster_record import Record, read_record, refusals, warnings
from components.lookups.existing_subnets import check_existing_subnets
from components.lookups.instance_types import (
    Offers,
    configured_types,
    look_up_types,
    missing_in,
    zones_with_all,
)
from components.lookups.machine_image import choose_image
from components.lookups.prefix_room import lacking_prefixes
from components.naming import ParameterPaths
from components.network.placement import Placement, choose_zones, placement
from components.nodes.role_policy import Account
from config import ClusterSettings

__all__ = ["AwsContext", "aws_provider", "look_up"]


@dataclass(frozen=True)
class AwsContext:
    """Where a cluster is built."""

    account: Account
    placement: Placement
    """The zones, and which node is in which."""
    image_id: str
    interface_addresses: Mapping[str, int] = field(default_factory=dict)
    """IPv4 addresses that an interface may have, by instance type of the configuration."""
    root_device: str = ""
    """Name of the image's root device."""


def look_up(
    settings: ClusterSettings, provider: pulumi.ProviderResource | None = None
) -> AwsContext:
    """Ask AWS for what the configuration needs, and whether the cluster that exists survives it.

    The questions go through the provider that the cluster is built with; None is the default one,
    of `aws:region`. Raises LookupFailedError, with a line for each problem, when the region or the
    credentials are missing, when AWS has not what the configuration names, and when the cluster is
    protected and the configuration would destroy it.
    """
    opts = pulumi.InvokeOptions(provider=provider)
    account = _account(opts)
    region = account.region
    record = _record(settings, opts)
    types = look_up_types(settings, region, opts)
    offers = types.offers
    offered = _zones_offered(region, opts)
    slots = _zones(settings, record, offers, offered, region)
    if problems := refusals(settings, record, slots):
        raise LookupFailedError("\n".join(problems))
    for warning in warnings(settings, record, slots):
        pulumi.log.warn(warning)
    placed = placement(settings, slots, record.nodes)
    if placed.quorum(settings).zones_that_may_fail < settings.quorum.zones_that_may_fail:
        pulumi.log.warn(
            "network.zones: members keep their zones, and so fewer zones may fail than if they "
            "were spread over all of them: docs/runbooks/resize.md says how a member moves"
        )
    _check_offers(offers, settings, placed, offered)
    if problems := lacking_prefixes(settings, placed, types.interface_addresses):
        raise LookupFailedError("\n".join(problems))
    check_existing_subnets(
        settings.network,
        internal=settings.api.internal,
        placement=placed,
        record=record,
        opts=opts,
    )
    image = choose_image(settings, record, region, opts)
    return AwsContext(account, placed, image.id, types.interface_addresses, image.root_device)


def aws_provider(opts: pulumi.ResourceOptions | None) -> pulumi.ProviderResource | None:
    """The AWS provider that a component of these options passes on to its children; None where it
    is the default one."""
    if opts is None:
        return None
    several = opts.providers or ()
    providers = list(several.values()) if isinstance(several, Mapping) else list(several)
    if opts.provider is not None:
        providers.insert(0, opts.provider)
    for provider in providers:
        if provider.package == "aws":
            return provider
    return opts.parent.get_provider("aws:index:Provider") if opts.parent else None


def _account(opts: pulumi.InvokeOptions) -> Account:
    region = aws.config.region or ""
    if not region and opts.provider is None:
        raise LookupFailedError(
            "aws:region: must be set, for example with `pulumi config set aws:region eu-central-1`"
        )
    try:
        if opts.provider is not None:
            region = aws.get_region(opts=opts).region
        identity = aws.get_caller_identity(opts=opts)
        partition = aws.get_partition(opts=opts).partition
    except Exception as error:
        # The provider checks its region before the first question, and says so in no other way.
        text = reason(error)
        key = "aws:region" if re.search(r"\bregion\b", text, re.IGNORECASE) else "AWS credentials"
        raise LookupFailedError(f"{key}: {text}") from None
    if partition != "aws":
        raise LookupFailedError(
            f"aws:region: must be a region of the partition aws, got {region!r} of {partition}: "
            "neither Debian's images nor the names of services are the same there"
        )
    return Account(partition, region, identity.account_id)


def _record(settings: ClusterSettings, opts: pulumi.InvokeOptions) -> Record:
    path = ParameterPaths(settings.cluster_name).record
    answer = ask("clusterName", lambda: aws.ssm.get_parameters_by_path(path=path, opts=opts))
    entries = zip(answer.names, answer.values, strict=True)
    return read_record({name.removeprefix(f"{path}/"): value for name, value in entries})


def _zones_offered(region: str, opts: pulumi.InvokeOptions) -> list[str]:
    """The zones in which something new may be put today."""
    found = ask(
        f"network.zones: the zones of {region} are unknown",
        lambda: aws.get_availability_zones(
            state="available",
            # Local and wavelength zones lack network load balancers and most instance types.
            filters=[
                aws.GetAvailabilityZonesFilterArgs(name="zone-type", values=["availability-zone"])
            ],
            opts=opts,
        ),
    )
    return sorted(found.names)


def _zones(
    settings: ClusterSettings, record: Record, offers: Offers, offered: list[str], region: str
) -> dict[str, int]:
    """The zones of the cluster. Those that it has are not asked about: a zone in trouble, or one
    that AWS does not list for a while, is no reason to leave it or to stop."""
    network = settings.network
    listed = ", ".join(offered)
    wanted = sorted(network.existing.zones) if network.existing else network.zones
    if not isinstance(wanted, int):
        key = "network.existing.zones" if network.existing else "network.zones"
        missing = [zone for zone in wanted if zone not in offered and zone not in record.slots]
        if missing:
            raise LookupFailedError(
                f"{key}: must be zones of {region} ({listed}), got {', '.join(missing)}"
            )
        return choose_zones(wanted, record.slots, offered)
    fit = zones_with_all(offers, offered)
    slots = choose_zones(wanted, record.slots, fit)
    if len(slots) < wanted:
        with_types = " with the instance types" if len(fit) < len(offered) else ""
        raise LookupFailedError(
            f"network.zones: {region} has {len(fit)} zones{with_types} ({', '.join(fit)}), "
            f"got {wanted}"
        )
    return slots


def _check_offers(
    offers: Offers, settings: ClusterSettings, placed: Placement, offered: list[str]
) -> None:
    problems = []
    for configured in configured_types(settings):
        tier = configured.key.partition(".")[0]
        zones = (
            set(placed.zones)
            if configured.is_of_pool
            else {zone for name, zone in placed.nodes.items() if name.startswith(f"{tier}-")}
        )
        if problem := missing_in(offers, configured, zones & set(offered)):
            problems.append(problem)
    if problems:
        raise LookupFailedError("\n".join(problems))
