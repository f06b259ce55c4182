"""`defrag`: give back the disk space that etcd's database no longer uses, one member at a time.

Observe, decide, act, until this member's turn has come and gone.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from node.aws import ParameterStore
from node.contract import INTERVAL_SECONDS, EtcdState
from node.errors import AwsError, NodeError
from node.etcd import local_member, member_status
from node.etcd.defrag_plan import (
    MIB,
    Compact,
    Database,
    Defragment,
    Disarm,
    Done,
    View,
    Wait,
    decide,
)
from node.etcd.member_status import Report
from node.etcd.members import Entry
from node.membership import Member
from node.settings import EtcdSettings, Settings

PATIENCE = 3 * 3600
"""Seconds to wait for the other members: their timers go off within an hour."""

PAUSE = INTERVAL_SECONDS
"""Seconds between looks: the others report that often."""

LONGEST = 3600
"""Seconds for one step on the largest database. etcd goes on with it whether or not somebody waits,
so a limit only ends the waiting: 8 GiB, read and written, at 5 MiB/s."""


def run(settings: Settings, etcd: EtcdSettings) -> str:
    """Defragment when it is worth it and this member's turn; what was done.

    NodeError when the turn does not come, and when people must look first.
    """
    done: list[str] = []
    compacted = defragmented = False
    give_up = time.monotonic() + PATIENCE
    while True:
        step = decide(observe(settings, etcd), compacted=compacted, defragmented=defragmented)
        match step:
            case Done(reason):
                return "; ".join([*done, reason])
            case Wait(reason):
                if time.monotonic() >= give_up:
                    raise NodeError("; ".join([*done, f"did not defragment: {reason}"]))
                time.sleep(PAUSE)
            case Compact():
                done.append(_compact(settings, etcd))
                compacted = True
            case Disarm():
                local_member.ctl(settings, etcd, "alarm", "disarm")
                done.append("disarmed NOSPACE")
            case Defragment():
                done.append(_defragment(settings, etcd))
                defragmented = True


def observe(settings: Settings, etcd: EtcdSettings) -> View:
    """What this member sees. NodeError when its etcd is down or somebody's data is in doubt."""
    facts = _facts(settings, etcd)
    alarms = " ".join(facts.get("errors", []))
    if "CORRUPT" in alarms:
        raise NodeError(
            "the CORRUPT alarm is on, and nothing rewrites a database until people have found the "
            "member whose data differs (etcdctl alarm list) and have replaced it"
        )
    listed = local_member.membership(settings, etcd)
    me = f"{facts['header']['member_id']:x}"
    others = [entry for entry in listed or () if entry.id != me]
    reports, trouble = _reports(settings, others)
    if listed is None:
        trouble = "reaches no leader"
    elif not local_member.healthy(etcd):
        trouble = "is not healthy"
    return View(
        mine=Database(
            settings.name, local_member.leads(facts), facts["dbSize"], facts["dbSizeInUse"], trouble
        ),
        others=tuple(_other(entry, reports.get(entry.name)) for entry in others),
        quota=facts["dbSizeQuota"],
        full="NOSPACE" in alarms,
    )


def _facts(settings: Settings, etcd: EtcdSettings) -> dict[str, Any]:
    facts = local_member.facts(settings, etcd)
    if facts is None:
        raise NodeError("etcd does not answer: see journalctl -u etcd")
    return facts


def _reports(settings: Settings, others: Sequence[Entry]) -> tuple[Mapping[str, Report], str]:
    """What the other members said last, or why that cannot be known."""
    nodes = [Member(entry.name, entry.address) for entry in others]
    try:
        return member_status.reports(ParameterStore(settings.region), settings, nodes), ""
    except AwsError as error:
        return {}, f"cannot read what the others report: {error}"


def _other(entry: Entry, report: Report | None) -> Database:
    """Another member, by its report."""
    if not entry.voter:
        trouble = "is a learner"
    elif report is None or not report.fresh:
        trouble = "is silent"
    elif report.state != EtcdState.MEMBER or not report.healthy or not report.size:
        trouble = "is not healthy"
    else:
        return Database(entry.name, report.leader, report.size, report.in_use)
    return Database(entry.name or entry.address, leader=False, size=0, in_use=0, trouble=trouble)


def _compact(settings: Settings, etcd: EtcdSettings) -> str:
    revision = str(_facts(settings, etcd)["header"]["revision"])
    try:
        local_member.ctl(settings, etcd, "compact", "--physical", revision, seconds=LONGEST)
    except NodeError as error:
        if "has been compacted" not in str(error):
            raise
        # By another member, and this one's database may still be at it.
        time.sleep(PAUSE)
    return f"dropped the history before revision {revision}"


def _defragment(settings: Settings, etcd: EtcdSettings) -> str:
    # The others read that before they begin, and the gates of `pulumi up` before they go on.
    member_status.busy(settings, etcd)
    before = _facts(settings, etcd)["dbSize"]
    try:
        local_member.ctl(settings, etcd, "defrag", seconds=LONGEST)
    finally:
        # Without AWS now, the next report is due in half a minute.
        with suppress(AwsError):
            member_status.write(settings, etcd)
    after = _facts(settings, etcd)["dbSize"]
    return f"defragmented {before / MIB:.1f} MiB to {after / MIB:.1f} MiB"
