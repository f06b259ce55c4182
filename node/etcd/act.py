"""Steps of an etcd node. Interrupted anywhere, the next run takes the same one again."""

import shutil

from node import files
from node.aws import ParameterStore
from node.contract import CLUSTER_ENV, ETCD_DATA, ETCD_UNIT, EtcdState
from node.etcd import cluster_token, member_plan, member_status, restore_local
from node.etcd.initial_cluster import forming, joining
from node.machine import Machine
from node.membership import Formation, formation
from node.settings import EtcdSettings, Settings, at

DISCARDED = f"{ETCD_DATA}/.discarded"


def take(
    settings: Settings, etcd: EtcdSettings, machine: Machine, decision: member_plan.Step
) -> tuple[str, bool]:
    """Take a step; what was done, and whether to look again soon."""
    _withdraw(decision)
    soon = True
    match decision:
        case member_plan.Wait(reason, changing):
            done, soon = reason, changing
        case member_plan.Form(marker):
            cluster_token.record(marker)
            files.write(at(CLUSTER_ENV), forming(marker))
            machine.start(ETCD_UNIT)
            done = f"starting etcd to form the cluster {marker.token}"
        case member_plan.Restore() | member_plan.SetAside():
            done = _rebuild(settings, etcd, machine, decision)
        case member_plan.Ask(lost):
            member_status.declare(settings, EtcdState.EMPTY, lost)
            done = "the disk is empty: asking to join as a new member"
        case member_plan.Join(entry, listed, marker):
            # What an interrupted Discard left.
            _clear()
            # Before etcd has the id: if the disk is lost from here on, the id is known as spent.
            member_status.declare(settings, EtcdState.JOINING, entry.id)
            cluster_token.record(marker)
            files.write(at(CLUSTER_ENV), joining(settings.name, entry, listed, marker.token))
            machine.start(ETCD_UNIT)
            done = f"starting etcd to join as {entry.id}"
        case member_plan.Start():
            machine.start(ETCD_UNIT)
            done, soon = "starting etcd from its disk", False
        case member_plan.Discard():
            discard()
            done = "removed the data of a member that was removed"
        case member_plan.Leave(used):
            member_status.declare(settings, EtcdState.LEFT, used)
            done, soon = "not a member, and not wanted as one", False
        case member_plan.MarkFormed(marker):
            done = mark_formed(settings, marker)
    return done, soon


def _withdraw(decision: member_plan.Step) -> None:
    """etcd.service may start an empty disk only while such a decision stands."""
    if not isinstance(decision, member_plan.Form | member_plan.Join):
        at(CLUSTER_ENV).unlink(missing_ok=True)


def _rebuild(
    settings: Settings,
    etcd: EtcdSettings,
    machine: Machine,
    decision: member_plan.Restore | member_plan.SetAside,
) -> str:
    match decision:
        case member_plan.Restore(marker):
            return restore_local.found_from_snapshot(settings, etcd, machine, marker)
        case member_plan.SetAside():
            return restore_local.set_aside(machine)


def discard() -> None:
    """Remove a member's data: all of it at once, as far as etcd can see."""
    _clear()
    at(f"{ETCD_DATA}/member").rename(at(DISCARDED))
    files.sync(at(ETCD_DATA))
    _clear()


def _clear() -> None:
    """Free the space of what was discarded: a database may be 8 GiB."""
    shutil.rmtree(at(DISCARDED), ignore_errors=True)


def mark_formed(settings: Settings, seen: Formation) -> str:
    """Set the marker, in what it says now: every founding member does this, and once is enough.

    `seen` is of the cluster that runs; a marker that a restore has ordered meanwhile stays.

    NodeError when it is damaged, or AWS does not answer.
    """
    store, name = ParameterStore(settings.region), settings.parameters["formation"]
    stored = store.owned([name])[name]
    now = formation(stored.document) if stored.document is not None else None
    if now and now.token == seen.token:
        if now.formed:
            return "the cluster is formed"
        document = {**stored.document, "formed": True}
    elif now is None or now.token in seen.superseded:
        document = seen.document()
    else:
        return f"a restore was ordered meanwhile: {now.token}"
    if store.put(name, document, stored.version) != stored.version + 1:
        return "the marker was written meanwhile: looking again"
    return "the cluster is formed: set the marker"


def restate(settings: Settings) -> str | None:
    """Write the marker again where an echo stands in its place; what was done.

    Nothing depends on it: nodes read on in the history, of which Parameter Store keeps the last
    hundred versions.

    AwsError when AWS does not answer.
    """
    store, name = ParameterStore(settings.region), settings.parameters["formation"]
    stored = store.owned([name]).get(name)
    if stored is None or stored.document is None or not stored.echo:
        return None
    store.put(name, stored.document, stored.version)
    return "wrote the marker again: an older one stood in its place"
