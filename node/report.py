"""`report`: tell Parameter Store how this node is, for the gates of `pulumi up` and for people.

CloudWatch gets the numbers that alarms watch. It comes second and may fail: what a gate reads
matters more than a point of a graph.
"""

from collections.abc import Mapping
from typing import Any

from node import metrics
from node.api import readiness
from node.aws import ParameterStore
from node.etcd import member_metrics as etcd
from node.etcd import member_status
from node.machine import Machine
from node.settings import Settings
from node.status import stamped


def run(settings: Settings, _machine: Machine) -> str:
    """Write the status; what it says; AwsError when AWS does not take it."""
    told: dict[str, Any] = {}
    try:
        told = _write(settings)
    finally:
        trouble = metrics.publish(settings, _numbers(settings, told))
    said = f"{told['state']}, {'healthy' if told['healthy'] else 'not healthy'}"
    return f"{said}; {trouble}" if trouble else said


def _write(settings: Settings) -> dict[str, Any]:
    if settings.etcd:
        return member_status.write(settings, settings.etcd)
    state = readiness.report(settings)
    ParameterStore(settings.region).insist(settings.parameters["status"], stamped(state))
    return state


def _numbers(settings: Settings, told: Mapping[str, Any]) -> dict[str, float]:
    numbers = metrics.certificate_days(settings)
    if settings.etcd:
        numbers |= etcd.numbers(settings, settings.etcd, told)
    return numbers
