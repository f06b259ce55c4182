"""Missing members: how many there are, as the member that leads tells CloudWatch.

A stopped machine sends nothing, and the others go on without it, so that the loss of one member
shows in no value that a member reports of itself.
"""

from collections.abc import Collection, Mapping, Sequence

from node.aws import ParameterStore, Stored
from node.errors import NodeError
from node.etcd import local_member, member_status, peers
from node.etcd.member_status import Report
from node.etcd.members import Entry, at
from node.membership import Member, members
from node.settings import EtcdSettings, Settings

CREATION_SECONDS = 900
"""That a member which has never reported may take to boot, by the age of its parameter: a size
change writes the parameters of all new members first, and then makes one machine after the other.
"""


def number(settings: Settings, etcd: EtcdSettings, me: str) -> int | None:
    """How many desired members are missing, as the leader of id `me` sees it; None when it does
    not know: without Parameter Store, or when it leads no more."""
    try:
        store = ParameterStore(settings.region)
        path = settings.parameters["members"]
        stored = store.latest([path]).get(path)
        desired = members(stored.document if stored else None)
        paths = {settings.status_of(member.name): member.name for member in desired}
        said = {paths[path]: report for path, report in store.latest(list(paths)).items()}
        entries = local_member.membership(settings, etcd)
        if entries is None:
            return None
        connected = peers.answering(settings, doubtful(desired, entries, me, said)) | {me}
    except NodeError:
        return None
    return len(missing(desired, entries, connected, said))


def doubtful(
    desired: Sequence[Member], entries: Sequence[Entry], me: str, said: Mapping[str, Stored]
) -> list[Entry]:
    """Other voters that say that they are well: these have to be asked. Pure.

    The rest is missing whatever it would answer.
    """
    found = [(at(member.address, entries), said.get(member.name)) for member in desired]
    return [
        entry
        for entry, report in found
        if entry is not None
        and entry.id != me
        and _healthy(entry, {entry.id}, member_status.read(report))
    ]


def missing(
    desired: Sequence[Member],
    entries: Sequence[Entry],
    connected: Collection[str],
    said: Mapping[str, Stored],
) -> list[str]:
    """Names of the desired members that are no healthy voters. Pure.

    Healthy is a voter that answers now, and whose node has just reported that reads through it
    succeed. A member that Pulumi is about to make is not missing yet.
    """
    reports = {member: member_status.read(said.get(member.name)) for member in desired}
    return [
        member.name
        for member, report in reports.items()
        if not _healthy(at(member.address, entries), connected, report)
        and not _being_made(said.get(member.name))
    ]


def _healthy(entry: Entry | None, connected: Collection[str], report: Report | None) -> bool:
    voter = entry is not None and entry.voter and entry.id in connected
    return voter and report is not None and report.fresh and report.healthy


def _being_made(stored: Stored | None) -> bool:
    """Whether its parameter is new and as Pulumi writes it: empty."""
    return stored is not None and stored.document == {} and stored.age < CREATION_SECONDS
