"""State that an etcd node sees: disk, etcd, Parameter Store, and where need be its peers."""

from dataclasses import dataclass

from node.aws import ParameterStore
from node.contract import CLUSTER_ENV, ETCD_MOUNT, ETCD_UNIT
from node.errors import AwsError
from node.etcd import cluster_token, local_member, member_plan, member_status, peers
from node.machine import Machine
from node.membership import Formation, Member, formation, members
from node.settings import EtcdSettings, Settings, at

RUNBOOK = "docs/runbooks/restore.md"


def observe(settings: Settings, etcd: EtcdSettings, machine: Machine) -> member_plan.State:
    """The state that the decision is made from; NodeError when a parameter is damaged."""
    # First: a slow AWS takes a minute, and what is on the machine would be old by then.
    parameters = _parameters(settings)
    marker, desired = parameters.marker, parameters.desired
    disk = _disk(machine)
    running = machine.active(ETCD_UNIT)
    removed = disk == "initialised" and not running and machine.ended(ETCD_UNIT)
    empty = disk == "empty" and marker is not None
    outside = removed or empty
    told = peers.membership(settings, _others(etcd, marker, desired)) if outside else None
    founding = empty and marker is not None and not marker.formed and told is None
    return member_plan.State(
        name=settings.name,
        address=etcd.address,
        # Again, after the peers: a first start may have come between, and a member that they say
        # has started while its disk looks empty would be taken for one that lost it.
        disk=_disk(machine) if outside else disk,
        formation=marker,
        desired=desired,
        running=running,
        removed=removed,
        entries=local_member.membership(settings, etcd)
        if running and disk == "initialised"
        else None,
        peers=told,
        used=parameters.used,
        starting=at(CLUSTER_ENV).exists(),
        trouble=parameters.trouble,
        token=cluster_token.token(),
        reported=_reported(settings, marker, desired) if founding else (),
        void=parameters.void,
        echo=parameters.echo,
    )


def _disk(machine: Machine) -> member_plan.Disk:
    if not machine.mounted(at(ETCD_MOUNT)):
        return "absent"
    return "initialised" if local_member.initialised() else "empty"


@dataclass(frozen=True)
class _Parameters:
    marker: Formation | None = None
    desired: tuple[Member, ...] | None = None
    used: str | None = None
    """The last member id."""
    void: bool = False
    """Whether the marker's parameter holds nothing that counts."""
    echo: bool = False
    """Whether an older marker stands in the place of the one that counts."""
    trouble: str = ""
    """Why something is not to be had."""


def _parameters(settings: Settings) -> _Parameters:
    formed, wanted, own = (settings.parameters[name] for name in ("formation", "members", "status"))
    store = ParameterStore(settings.region)
    try:
        found = store.owned([formed, own])
        found |= store.latest([wanted])
    except AwsError as error:
        return _Parameters(trouble=str(error))
    marker = found.get(formed)
    missing = [name for name in (formed, wanted) if name not in found]
    trouble = f"{' and '.join(missing)} do not exist: run pulumi up" if missing else ""
    void = marker is not None and marker.echo and marker.document is None
    if void:
        trouble = f"{formed} holds an old value, and its history none that counts ({RUNBOOK})"
    return _Parameters(
        marker=formation(marker.document) if marker and not void else None,
        desired=members(found[wanted].document) if wanted in found else None,
        used=member_status.last_id(found[own].document) if own in found else None,
        void=void,
        echo=marker is not None and marker.echo and not void,
        trouble=trouble,
    )


def _reported(
    settings: Settings, marker: Formation | None, desired: tuple[Member, ...] | None
) -> tuple[str, ...]:
    """Other nodes that ever said that they have a member id. AwsError when AWS does not answer."""
    listed = {m.name: m for m in (*(desired or ()), *(marker.members if marker else ()))}
    listed.pop(settings.name, None)
    found = member_status.reports(ParameterStore(settings.region), settings, list(listed.values()))
    return tuple(sorted(name for name, report in found.items() if report.member_id))


def _others(
    etcd: EtcdSettings, marker: Formation | None, desired: tuple[Member, ...] | None
) -> list[str]:
    """Addresses of those that may be members: the desired ones first, then the founding ones."""
    listed = [*(desired or ()), *(marker.members if marker else ())]
    return list(dict.fromkeys(m.address for m in listed if m.address != etcd.address))
