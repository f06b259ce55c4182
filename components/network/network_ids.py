"""Ids of a VPC and its subnets: of one that is created, of the configuration, or of the program."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from config import ClusterSettings, ConfigError


@dataclass(frozen=True, kw_only=True)
class NetworkIds:
    """The VPC and its subnet ids by zone name."""

    vpc_id: pulumi.Input[str]
    private: Mapping[str, pulumi.Input[str]]
    """Subnets of the API servers, and of an internal load balancer."""
    etcd: Mapping[str, pulumi.Input[str]]
    """Subnets that hold etcd members and nothing else."""
    public: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Subnets of an internet-facing load balancer; empty where there are none."""
    workers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Subnets of the workers and their pods; empty where there are no pools."""
    nat_addresses: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Public address of the NAT gateway in each zone that has one of the program's."""


def existing_network(
    settings: ClusterSettings, given: NetworkIds | None = None
) -> NetworkIds | None:
    """Ids of the VPC that somebody else owns; None when the cluster makes one of its own.

    They are in the configuration. Where a program makes both the network and the cluster they are
    `given`, and the configuration has the zones and the CIDRs of the etcd subnets alone, which
    addresses are computed from before anything exists.

    Raises ConfigError when the ids are in both places or in none, or of other zones.
    """
    existing = settings.network.existing
    if given is not None:
        _check_given(settings, given)
        return given
    if existing is None:
        return None
    if existing.vpc_id is None:
        raise ConfigError(
            "network.existing.vpcId: must be set, unless a program passes NetworkIds to the Cluster"
        )
    zones = existing.zones.items()
    return NetworkIds(
        vpc_id=existing.vpc_id,
        private={zone: ids.private_subnet_id for zone, ids in zones if ids.private_subnet_id},
        etcd={zone: ids.etcd_subnet_id for zone, ids in zones if ids.etcd_subnet_id},
        public={zone: ids.public_subnet_id for zone, ids in zones if ids.public_subnet_id},
        workers={zone: ids.worker_subnet_id for zone, ids in zones if ids.worker_subnet_id},
    )


def _check_given(settings: ClusterSettings, given: NetworkIds) -> None:
    existing = settings.network.existing
    if existing is None:
        raise ConfigError(
            "network.existing: must have the zones, and the etcdCidr of each, of the network whose "
            "ids the program passes"
        )
    if existing.vpc_id is not None:
        raise ConfigError(
            "network.existing.vpcId: must be left out, as the program passes the ids of a network, "
            f"got {existing.vpc_id}"
        )
    wanted = {"private": given.private, "etcd": given.etcd}
    if not settings.api.internal:
        wanted["public"] = given.public
    if settings.workers:
        wanted["workers"] = given.workers
    for role, subnets in wanted.items():
        if subnets.keys() != existing.zones.keys():
            raise ConfigError(
                f"network.existing.zones: must be the zones of the {role} subnets that the program "
                f"passes ({', '.join(sorted(subnets)) or 'none'}), got "
                f"{', '.join(sorted(existing.zones))}"
            )
