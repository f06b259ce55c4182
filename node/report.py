"""`report`: tell Parameter Store how this node is, for the gates of `pulumi up` and for people.

CloudWatch gets the numbers that alarms watch. It comes second and may fail: what a gate reads
matters more than a point of a graph.
"""

from collections.abc import Mapping
from typing import Any

from node import metrics
from node.aws import ParameterStore
from node.machine import Machine
from node.settings import Settings
from node.status import stamped


def run(settings: Settings, _machine: Machine) -> str:
    """Write the status; what it says."""
    status: dict[str, Any] = {}
    try:
        status = _write(settings)
    finally:
        trouble = metrics.publish(settings, _numbers(settings, status))
    said = f"{status['state']}, {'healthy' if status['healthy'] else 'not healthy'}"
    return f"{said}; {trouble}" if trouble else said


def _write(settings: Settings) -> dict[str, Any]:
    if settings.etcd:
        from node.etcd import status  # noqa: PLC0415  a node carries its own tier only

        return status.write(settings, settings.etcd)
    from node.api import readiness  # noqa: PLC0415  a node carries its own tier only

    state = readiness.report(settings)
    ParameterStore(settings.region).put(settings.parameters["status"], stamped(state))
    return state


def _numbers(settings: Settings, status: Mapping[str, Any]) -> dict[str, float]:
    numbers = metrics.certificate_days(settings)
    if settings.etcd:
        from node.etcd import numbers as etcd  # noqa: PLC0415  a node carries its own tier only

        numbers |= etcd.numbers(settings, settings.etcd, status)
    return numbers
