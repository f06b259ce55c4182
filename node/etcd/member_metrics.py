"""What an etcd member tells CloudWatch, beside what every node does."""

from collections.abc import Mapping
from typing import Any

from node.etcd import client, disk, missing_members, snapshot_age, snapshot_attempt
from node.settings import EtcdSettings, Settings


def numbers(
    settings: Settings, mine: EtcdSettings, reported: Mapping[str, Any]
) -> dict[str, float]:
    """By name of metric; `reported` is the status, empty when it could not be written.

    HasLeader             1 when this member knows a leader, else 0: also without an etcd to ask
    NoSpaceAlarm          1 when the cluster-wide alarm is on, else 0
    CorruptAlarm          1 when the cluster-wide alarm is on, else 0
    DatabaseQuotaPercent  size of the file against the quota: what etcd itself compares
    MissingMembers        desired members that are no healthy voters, from the member that leads
    SnapshotAgeSeconds    of the newest snapshot that this member knows to be stored
    SnapshotFailed        1 when the last attempt of the member that leads failed, else 0
    DataDiskNeededPercent used part of the data volume's file system, with the database counted as
                          large as its quota

    What is not known is not sent: a value that was made up would silence an alarm.
    """
    age = snapshot_age.age()
    known = {} if age is None else {"SnapshotAgeSeconds": age}
    # An etcd that has just not answered is not asked again: that takes seconds.
    silent = reported.get("dbSize", ...) is None
    facts = None if silent else client.facts(settings, mine)
    if facts is None:
        return {**known, "HasLeader": 0}
    errors = " ".join(facts.get("errors", []))
    return {
        **known,
        **_missing(settings, mine, facts),
        "HasLeader": 1 if facts.get("leader") else 0,
        "NoSpaceAlarm": 1 if "NOSPACE" in errors else 0,
        "CorruptAlarm": 1 if "CORRUPT" in errors else 0,
        "DatabaseQuotaPercent": 100 * facts["dbSize"] / facts["dbSizeQuota"],
        **_snapshot(facts),
        **_disk(facts),
    }


def _missing(settings: Settings, mine: EtcdSettings, facts: dict[str, Any]) -> dict[str, float]:
    """Of one node only: two that both take themselves for the leader agree, or one is cut off."""
    if not client.leads(facts):
        return {}
    number = missing_members.number(settings, mine, f"{facts['header']['member_id']:x}")
    return {} if number is None else {"MissingMembers": number}


def _snapshot(facts: dict[str, Any]) -> dict[str, float]:
    told = snapshot_attempt.told() if client.leads(facts) else None
    return {"SnapshotFailed": 1 if told["error"] else 0} if told else {}


def _disk(facts: dict[str, Any]) -> dict[str, float]:
    space = disk.space()
    if space is None:
        return {}
    return {"DataDiskNeededPercent": space.needed(facts["dbSize"], facts["dbSizeQuota"])}
