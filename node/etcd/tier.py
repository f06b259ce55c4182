"""An etcd node's reconciliation: observe, decide, act."""

from node import files
from node.aws import ParameterStore
from node.errors import AwsError
from node.etcd import client, decide
from node.machine import Machine
from node.membership import Formation, formation
from node.settings import CLUSTER_ENV, DATA_MOUNT, EtcdSettings, Settings, at

UNIT = "etcd.service"


def run(settings: Settings, mine: EtcdSettings, machine: Machine) -> str:
    """Take the one next step; what it was."""
    return act(settings, machine, decide.decide(observe(settings, mine, machine)))


def observe(settings: Settings, mine: EtcdSettings, machine: Machine) -> decide.State:
    """What this node sees."""
    disk: decide.Disk = "absent"
    if machine.mounted(at(DATA_MOUNT)):
        disk = "initialised" if client.initialised() else "empty"
    marker, trouble = None, ""
    try:
        marker = formation(ParameterStore(settings.region).get(settings.parameters["formation"]))
    except AwsError as error:
        trouble = str(error)
    running = machine.active(UNIT)
    ask = running and marker and not marker.formed
    return decide.State(
        name=settings.name,
        disk=disk,
        formation=marker,
        running=running,
        started=client.started(settings, mine) if ask else None,
        trouble=trouble,
    )


def act(settings: Settings, machine: Machine, step: decide.Step) -> str:
    """Take a step; what was done. Interrupted anywhere, the next run takes it again."""
    if not isinstance(step, decide.Form):
        # etcd.service may start an empty disk only while this decision stands.
        at(CLUSTER_ENV).unlink(missing_ok=True)
    match step:
        case decide.Wait(reason):
            return reason
        case decide.Form(marker):
            files.write(at(CLUSTER_ENV), cluster_env(marker))
            machine.start(UNIT)
            return f"starting etcd to form the cluster {marker.token}"
        case decide.Start():
            machine.start(UNIT)
            return "starting etcd from its disk"
        case decide.MarkFormed():
            return mark_formed(settings)


def mark_formed(settings: Settings) -> str:
    """Set the marker, in what it says now: every founding member does this, and once is enough."""
    store, name = ParameterStore(settings.region), settings.parameters["formation"]
    document = store.get(name)
    if formation(document).formed:
        return "the cluster is formed"
    store.put(name, {**document, "formed": True})
    return "the cluster is formed: set the marker"


def cluster_env(marker: Formation) -> str:
    """The first start's settings, for etcd.service."""
    peers = ",".join(f"{member.name}={member.peer_url}" for member in marker.members)
    return (
        f"ETCD_INITIAL_CLUSTER={peers}\n"
        "ETCD_INITIAL_CLUSTER_STATE=new\n"
        f"ETCD_INITIAL_CLUSTER_TOKEN={marker.token}\n"
    )
