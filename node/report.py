"""`report`: tell Parameter Store how this node is, for the gates of `pulumi up` and for people."""

from datetime import UTC, datetime

from node.aws import ParameterStore, metadata
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings


def run(settings: Settings, _machine: Machine) -> str:
    """Write the status; what it says."""
    try:
        instance = metadata("instance-id")
    except NodeError:
        instance = None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    status = {"instanceId": instance, "time": now, **_state(settings)}
    ParameterStore(settings.region).put(settings.parameters["status"], status)
    return f"{status['state']}, {'healthy' if status['healthy'] else 'not healthy'}"


def _state(settings: Settings) -> dict[str, object]:
    if settings.etcd:
        from node.etcd import client  # noqa: PLC0415  a node carries its own tier only

        return client.report(settings, settings.etcd)
    from node.api import readiness  # noqa: PLC0415  a node carries its own tier only

    return readiness.report(settings)
