"""Rules between keys. Each yields the problems it finds; rules of one key live with its model."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from itertools import combinations

from config.cluster_settings import ClusterSettings
from config.container_images import IMAGES
from config.instances import is_arm
from config.network import NetworkSettings
from config.problems import Problem
from config.types import format_duration

SPREAD_LIMIT = 7
"""Running instances of a spread placement group in one zone (EC2 user guide)."""

_NETWORK = ("network.zones", "network.existing")
"""What says which zones there are, and what a network has."""


def _two_zones(settings: ClusterSettings) -> Iterator[Problem]:
    network = settings.network
    if network.zone_count == 2 and not network.accept_two_zones:
        larger, smaller = settings.quorum.members_per_zone
        yield Problem(
            (network.zones_key, *_NETWORK, "network.acceptTwoZones", "etcd.size"),
            f"must be 3: over two zones {settings.etcd.size} members sit {larger}-{smaller}, and "
            f"losing the larger zone leaves fewer than the quorum of {settings.quorum.quorum}; "
            "set network.acceptTwoZones: true to accept that",
            2,
        )


def _spread(settings: ClusterSettings) -> Iterator[Problem]:
    # Successors of all API servers come before the first of them goes.
    size, zones = settings.api.size, settings.network.zone_count
    most = SPREAD_LIMIT // 2 * zones
    if size > most:
        yield Problem(
            ("api.size", *_NETWORK),
            f"must be at most {most} over {zones} zones: EC2 spreads up to {SPREAD_LIMIT} machines "
            "in a zone, and an update needs room for a successor of each",
            size,
        )


def _disjoint_networks(settings: ClusterSettings) -> Iterator[Problem]:
    network = settings.network
    named = {"network.cidr": network.cidr, "network.serviceCidr": network.service_cidr}
    if not settings.pods_in_vpc:
        named["network.podCidr"] = network.pod_cidr
    for (one, first), (other, second) in combinations(named.items(), 2):
        if first.overlaps(second):
            yield Problem((other, one), f"must not overlap {one} {first}", second)


def _existing_subnets(settings: ClusterSettings) -> Iterator[Problem]:
    network = settings.network
    if network.existing is None:
        return
    cidrs: dict[str, IPv4Network] = {}
    for zone, subnets in network.existing.zones.items():
        key = f"network.existing.zones.{zone}"
        cidr = subnets.etcd_cidr
        if not cidr.subnet_of(network.cidr):
            rule = f"must lie within network.cidr {network.cidr}"
            yield Problem((f"{key}.etcdCidr", "network.cidr"), rule, cidr)
        if cidr.prefixlen > 28:
            yield Problem((f"{key}.etcdCidr",), "must be a /28 or larger", cidr)
        for other, taken in cidrs.items():
            if cidr.overlaps(taken):
                rule = f"must not overlap the etcd subnet {taken} of {other}"
                yield Problem((f"{key}.etcdCidr", f"network.existing.zones.{other}"), rule, cidr)
        cidrs[zone] = cidr
        named = network.existing.vpc_id is not None
        if named and settings.workers and subnets.worker_subnet_id is None:
            rule = "must be set when there are workers"
            yield Problem((f"{key}.workerSubnetId", "workers"), rule, None)
        if named and not settings.api.internal and subnets.public_subnet_id is None:
            rule = "must be set when api.internal is false"
            yield Problem((f"{key}.publicSubnetId", "api.internal"), rule, None)


def _existing_ids(settings: ClusterSettings) -> Iterator[Problem]:
    existing = settings.network.existing
    if existing is None:
        return
    ids = {"network.existing.vpcId": existing.vpc_id}
    optional = []
    for zone, subnets in existing.zones.items():
        key = f"network.existing.zones.{zone}"
        optional.append(subnets.worker_subnet_id)
        ids[f"{key}.privateSubnetId"] = subnets.private_subnet_id
        ids[f"{key}.etcdSubnetId"] = subnets.etcd_subnet_id
    if any(ids.values()) or any(optional):
        for key, value in ids.items():
            if value is None:
                yield Problem((key, "network.existing"), "must be set", None)


def _no_way_out(settings: ClusterSettings) -> Iterator[Problem]:
    if settings.network.nat != "none" or settings.network.existing is not None:
        return
    because = "must be set when network.nat is none: nodes cannot reach the internet"
    if settings.artifacts.mirror is None:
        yield Problem(("artifacts.mirror", "network.nat", "network.existing"), because, None)
    if settings.ami is None:
        rule = f"{because}, so the image must hold the packages (docs/configuration.md)"
        yield Problem(("ami", "network.nat", "network.existing"), rule, None)
    missing = sorted(IMAGES.keys() - settings.artifacts.images.keys()) if settings.workers else []
    for image in missing:
        rule = "must be set when network.nat is none: workers cannot reach upstream's registry"
        keys = (f"artifacts.images.{image}", "network.nat", "network.existing", "workers")
        yield Problem(keys, rule, None)


def _public_without_nat(settings: ClusterSettings) -> Iterator[Problem]:
    without = settings.network.nat == "none" and settings.network.existing is None
    if without and not settings.api.internal:
        rule = (
            "must be true when network.nat is none: workers have no way to the public addresses of "
            "the load balancer"
        )
        yield Problem(("api.internal", "network.nat"), rule, settings.api.internal)


def _load_balancer_rules(settings: ClusterSettings) -> Iterator[Problem]:
    # 60 rules in each direction of a security group (VPC quotas), of which nodes need up to ten.
    cidrs = {*(settings.api.allowed_cidrs or ()), *settings.network.worker_cidrs}
    if len(cidrs) > 50:
        rule = "must be at most 50 CIDRs together with network.workerCidrs, each is a rule"
        yield Problem(("api.allowedCidrs", "network.workerCidrs"), rule, f"{len(cidrs)} CIDRs")


def _adopted_network(settings: ClusterSettings) -> Iterator[Problem]:
    existing = settings.network.existing
    if existing is None:
        return
    if settings.network.flow_log_days is not None:
        rule = "must be left out with network.existing: flow logs are up to the owner of the VPC"
        keys = ("network.flowLogDays", "network.existing")
        yield Problem(keys, rule, settings.network.flow_log_days)
    if existing.instance_connect_group_id and settings.operator_access == "none":
        rule = "must be left out when operatorAccess is none: it would open nothing"
        keys = ("network.existing.instanceConnectGroupId", "operatorAccess")
        yield Problem(keys, rule, existing.instance_connect_group_id)


def _election_timeout(settings: ClusterSettings) -> Iterator[Problem]:
    # etcd refuses to start below this ratio (etcd tuning guide).
    etcd = settings.etcd
    if etcd.election_ms < 5 * etcd.heartbeat_ms:
        rule = f"must be at least 5 x etcd.heartbeatMs ({etcd.heartbeat_ms})"
        yield Problem(("etcd.electionMs", "etcd.heartbeatMs"), rule, etcd.election_ms)


def _data_volume(settings: ClusterSettings) -> Iterator[Problem]:
    etcd, volume = settings.etcd, settings.etcd.data_volume
    if volume.size_gib < 2 * etcd.quota_gib:
        rule = f"must be at least twice etcd.quotaGib ({etcd.quota_gib})"
        yield Problem(("etcd.dataVolume.sizeGib", "etcd.quotaGib"), rule, volume.size_gib)
    # gp3 limits of the EBS user guide: 500 IOPS per GiB, 0.25 MiB/s per provisioned IOPS. Every
    # volume may have the included 3000 IOPS and 125 MiB/s.
    if volume.iops > max(3000, 500 * volume.size_gib):
        rule = f"must be at most 500 per GiB of etcd.dataVolume.sizeGib ({volume.size_gib})"
        yield Problem(("etcd.dataVolume.iops", "etcd.dataVolume.sizeGib"), rule, volume.iops)
    if volume.throughput > volume.iops / 4:
        rule = f"must be at most a quarter of etcd.dataVolume.iops ({volume.iops})"
        keys = ("etcd.dataVolume.throughput", "etcd.dataVolume.iops")
        yield Problem(keys, rule, volume.throughput)


def _single_api_server(settings: ClusterSettings) -> Iterator[Problem]:
    if settings.api.size < 2 and settings.protect:
        rule = "must be at least 2; 1 only with protect: false"
        yield Problem(("api.size", "protect"), rule, settings.api.size)


def _public_balancer(settings: ClusterSettings) -> Iterator[Problem]:
    if not settings.api.internal and settings.api.allowed_cidrs is None:
        rule = "must be written out when api.internal is false"
        yield Problem(("api.allowedCidrs", "api.internal"), rule, None)


def _lease_timings(settings: ClusterSettings) -> Iterator[Problem]:
    # client-go's own checks (leaderelection.NewLeaderElector, JitterFactor 1.2).
    controllers = settings.controllers
    lease, renew = controllers.lease_duration, controllers.renew_deadline
    if lease <= renew:
        rule = f"must be longer than controllers.renewDeadline ({format_duration(renew)})"
        keys = ("controllers.leaseDuration", "controllers.renewDeadline")
        yield Problem(keys, rule, format_duration(lease))
    if renew <= 1.2 * controllers.retry_period:
        retry = format_duration(controllers.retry_period)
        rule = f"must be longer than 1.2 x controllers.retryPeriod ({retry})"
        keys = ("controllers.renewDeadline", "controllers.retryPeriod")
        yield Problem(keys, rule, format_duration(renew))


def _operator_keys(settings: ClusterSettings) -> Iterator[Problem]:
    # Debian has no package that would accept a key pushed by EC2 Instance Connect.
    unusable = settings.ami is None and not settings.operator_keys
    if settings.operator_access == "instance-connect" and unusable:
        rule = "must be set when operatorAccess is instance-connect, unless ami accepts other keys"
        yield Problem(("operatorKeys", "operatorAccess", "ami"), rule, None)
    if settings.operator_access == "none" and settings.operator_keys:
        rule = "must be left out when operatorAccess is none: no port is open for them"
        yield Problem(("operatorKeys", "operatorAccess"), rule, None)


def _certificate_lifetimes(settings: ClusterSettings) -> Iterator[Problem]:
    pki = settings.pki
    if pki.leaf_days >= pki.ca_years * 365:
        rule = f"must be less than the authorities live (pki.caYears: {pki.ca_years})"
        yield Problem(("pki.leafDays", "pki.caYears"), rule, pki.leaf_days)


def _instance_architecture(settings: ClusterSettings) -> Iterator[Problem]:
    chosen = {
        "etcd.instanceType": settings.etcd.instance_type,
        "api.instanceType": settings.api.instance_type,
        **{
            f"workers.{name}.instanceType": pool.instance_type
            for name, pool in settings.workers.items()
        },
    }
    for key, instance_type in chosen.items():
        if instance_type is None:
            continue
        if is_arm(instance_type) != (settings.architecture == "arm64"):
            rule = f"must be an instance type of architecture {settings.architecture}"
            yield Problem((key, "architecture"), rule, instance_type)


def _pool_sizes(settings: ClusterSettings) -> Iterator[Problem]:
    for name, pool in settings.workers.items():
        if pool.most < pool.min:
            keys = (f"workers.{name}.max", f"workers.{name}.min")
            yield Problem(keys, f"must be at least workers.{name}.min ({pool.min})", pool.most)


def _pods_of_the_vpc(settings: ClusterSettings) -> Iterator[Problem]:
    # Whoever has chosen a range has pods in it, from a network of their own: with pods of the VPC
    # new Nodes would get no part of it.
    network = settings.network
    if settings.pods_in_vpc and network.pod_cidr != NetworkSettings().pod_cidr:
        rule = (
            "must be left out when there are workers: their pods have addresses of network.cidr "
            "(set network.podNetwork: none to run a pod network of your own)"
        )
        yield Problem(("network.podCidr", "network.podNetwork", "workers"), rule, network.pod_cidr)


def _place_for_dns(settings: ClusterSettings) -> Iterator[Problem]:
    pools = settings.workers.values()
    if pools and all(pool.repels for pool in pools):
        rule = (
            "must have a pool without taints of NoSchedule and NoExecute: CoreDNS tolerates none, "
            "and without it no Service has a name"
        )
        yield Problem(("workers",), rule, None)


RULES: tuple[Callable[[ClusterSettings], Iterator[Problem]], ...] = (
    _two_zones,
    _spread,
    _disjoint_networks,
    _existing_subnets,
    _existing_ids,
    _no_way_out,
    _public_without_nat,
    _load_balancer_rules,
    _adopted_network,
    _election_timeout,
    _data_volume,
    _single_api_server,
    _public_balancer,
    _lease_timings,
    _certificate_lifetimes,
    _operator_keys,
    _instance_architecture,
    _pool_sizes,
    _pods_of_the_vpc,
    _place_for_dns,
)


def broken_rules(settings: ClusterSettings) -> list[Problem]:
    """Every problem between keys of settings whose keys are each right."""
    return [problem for rule in RULES for problem in rule(settings)]
