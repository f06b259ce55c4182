"""Metrics of an etcd member, alongside those of every node."""

from collections.abc import Mapping
from typing import Any

from node.contract import Metric
from node.etcd import disk, local_member, missing_members, snapshot_age, snapshot_attempt
from node.settings import EtcdSettings, Settings


def numbers(
    settings: Settings, etcd: EtcdSettings, reported: Mapping[str, Any]
) -> dict[str, float]:
    """By name of metric; `reported` is the status, empty when it could not be written.

    What is not known is not sent: a value that was made up would silence an alarm.
    """
    age = snapshot_age.age()
    known: dict[str, float] = {} if age is None else {Metric.SNAPSHOT_AGE_SECONDS: age}
    # An etcd that has just not answered is not asked again: that takes seconds.
    silent = reported.get("dbSize", ...) is None
    facts = None if silent else local_member.facts(settings, etcd)
    if facts is None:
        return {**known, Metric.HAS_LEADER: 0}
    errors = " ".join(facts.get("errors", []))
    return {
        **known,
        **_missing(settings, etcd, facts),
        Metric.HAS_LEADER: 1 if facts.get("leader") else 0,
        Metric.NO_SPACE: 1 if "NOSPACE" in errors else 0,
        Metric.CORRUPT: 1 if "CORRUPT" in errors else 0,
        Metric.DATABASE_QUOTA_PERCENT: 100 * facts["dbSize"] / facts["dbSizeQuota"],
        **_snapshot(facts),
        **_disk(facts),
    }


def _missing(settings: Settings, etcd: EtcdSettings, facts: dict[str, Any]) -> dict[str, float]:
    """Of one node only: two that both take themselves for the leader agree, or one is cut off."""
    if not local_member.leads(facts):
        return {}
    number = missing_members.number(settings, etcd, f"{facts['header']['member_id']:x}")
    return {} if number is None else {Metric.MISSING_MEMBERS: number}


def _snapshot(facts: dict[str, Any]) -> dict[str, float]:
    told = snapshot_attempt.told() if local_member.leads(facts) else None
    return {Metric.SNAPSHOT_FAILED: 1 if told["error"] else 0} if told else {}


def _disk(facts: dict[str, Any]) -> dict[str, float]:
    space = disk.space()
    if space is None:
        return {}
    return {Metric.DATA_DISK_NEEDED_PERCENT: space.needed(facts["dbSize"], facts["dbSizeQuota"])}
