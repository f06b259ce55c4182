"""What an etcd node sees: its disk, its etcd, Parameter Store, and where need be its peers."""

from node.aws import ParameterStore
from node.errors import AwsError
from node.etcd import client, decide, incarnation, peers, status
from node.machine import Machine
from node.membership import Formation, Member, formation, members
from node.settings import CLUSTER_ENV, DATA_MOUNT, EtcdSettings, Settings, at

UNIT = "etcd.service"


def look(settings: Settings, mine: EtcdSettings, machine: Machine) -> decide.State:
    """The state that the decision is made from; NodeError when a parameter is damaged."""
    # First: a slow AWS takes a minute, and what is on the machine would be old by then.
    marker, desired, used, trouble = _parameters(settings)
    disk = _disk(machine)
    running = machine.active(UNIT)
    removed = disk == "initialised" and not running and machine.ended(UNIT)
    outside = removed or (disk == "empty" and marker is not None and marker.formed)
    told = peers.membership(settings, _others(mine, marker, desired)) if outside else None
    return decide.State(
        name=settings.name,
        address=mine.address,
        # Again, after the peers: a first start may have come between, and a member that they say
        # has started while its disk looks empty would be taken for one that lost it.
        disk=_disk(machine) if outside else disk,
        formation=marker,
        desired=desired,
        running=running,
        removed=removed,
        entries=client.membership(settings, mine) if running and disk == "initialised" else None,
        peers=told,
        used=used,
        starting=at(CLUSTER_ENV).exists(),
        trouble=trouble,
        token=incarnation.token(),
    )


def _disk(machine: Machine) -> decide.Disk:
    if not machine.mounted(at(DATA_MOUNT)):
        return "absent"
    return "initialised" if client.initialised() else "empty"


def _parameters(
    settings: Settings,
) -> tuple[Formation | None, tuple[Member, ...] | None, str | None, str]:
    """The marker, the desired members, the last member id; why they are not to be had."""
    names = [settings.parameters[name] for name in ("formation", "members", "status")]
    try:
        found = ParameterStore(settings.region).latest(names)
    except AwsError as error:
        return None, None, None, str(error)
    marker, desired, own = (found.get(name) for name in names)
    missing = [name for name in names[:2] if name not in found]
    return (
        formation(marker.document) if marker else None,
        members(desired.document) if desired else None,
        status.last_id(own.document) if own else None,
        f"{' and '.join(missing)} do not exist: run pulumi up" if missing else "",
    )


def _others(
    mine: EtcdSettings, marker: Formation | None, desired: tuple[Member, ...] | None
) -> list[str]:
    """Addresses of those that may be members: the desired ones first, then the founding ones."""
    listed = [*(desired or ()), *(marker.members if marker else ())]
    return list(dict.fromkeys(m.address for m in listed if m.address != mine.address))
