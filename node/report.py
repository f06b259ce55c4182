"""`report`: tell Parameter Store how this node is, for the gates of `pulumi up` and for people."""

from typing import Any

from node.aws import ParameterStore
from node.machine import Machine
from node.settings import Settings
from node.status import stamped


def run(settings: Settings, _machine: Machine) -> str:
    """Write the status; what it says."""
    status = _write(settings)
    return f"{status['state']}, {'healthy' if status['healthy'] else 'not healthy'}"


def _write(settings: Settings) -> dict[str, Any]:
    if settings.etcd:
        from node.etcd import status  # noqa: PLC0415  a node carries its own tier only

        return status.write(settings, settings.etcd)
    from node.api import readiness  # noqa: PLC0415  a node carries its own tier only

    state = readiness.report(settings)
    ParameterStore(settings.region).put(settings.parameters["status"], stamped(state))
    return state
