"""States of instances that somebody runs as machines.

Stock moto knows no time: an instance runs the moment it is launched and is gone the moment it is
terminated. That is right while nobody boots anything. Once a controller is attached, a request only
puts the instance into the state of transition (`pending`, `stopping`, `shutting-down`), and the
controller's report ends it: what waits for a state then waits for a machine.
"""

from dataclasses import dataclass, field
from pathlib import Path

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.instances import Instance, InstanceState, Reservation
from moto.ec2.responses import EC2Response

from lab.cloud.corrections.patching import LAUNCH_LOCK, Method, extends

CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
"""Codes of the states (EC2 API reference, InstanceState)."""

CONSOLE_BYTES = 64 * 1024
"""What GetConsoleOutput keeps (EC2 API reference)."""


@dataclass
class Machines:
    """What is known of the machines behind the instances."""

    consoles: Path | None = None
    """Directory of `<instance id>.log`; None while nobody runs machines."""
    reboots: dict[str, int] = field(default_factory=dict)
    """How often a reboot was asked for, by instance."""
    reachable: dict[str, bool] = field(default_factory=dict)
    """Whether a machine answers on its network, by instance."""

    @property
    def attached(self) -> bool:
        """Whether a controller runs machines."""
        return self.consoles is not None


MACHINES = Machines()

_stop = Instance.stop
_terminate = Instance.terminate


def _set(instance: Instance, state: str) -> None:
    instance._state = InstanceState(state, CODES[state])  # noqa: SLF001 - moto has no public name for it


def _instance(instance_id: str) -> Instance | None:
    for backends in ec2_backends.values():
        for backend in backends.values():
            instance = backend.get_instance_by_id(instance_id)
            if instance is not None:
                return instance
    return None


def report(instance_id: str, state: str | None, *, reachable: bool | None) -> None:
    """What the machine of an instance did. A report that a later request overtook is dropped."""
    instance = _instance(instance_id)
    if instance is None:
        return
    if reachable is not None:
        MACHINES.reachable[instance_id] = reachable
    with LAUNCH_LOCK:
        match state, instance.state:
            case "running", "pending":
                _set(instance, "running")
            case "stopped", "stopping" | "running" | "pending":
                _stop(instance)
                _set(instance, "stopped")
            case "terminated", "shutting-down":
                _terminate(instance)


@extends(EC2Backend, "run_instances")
def run_instances(
    original: Method, backend: EC2Backend, *args: object, **kwargs: object
) -> Reservation:
    """Pending until the machine runs."""
    reservation: Reservation = original(backend, *args, **kwargs)
    if MACHINES.attached:
        for instance in reservation.instances:
            _set(instance, "pending")
    return reservation


@extends(Instance, "start")
def start(original: Method, instance: Instance) -> InstanceState:
    """Pending until the machine runs."""
    before = instance.state
    if MACHINES.attached and before != "stopped":
        return InstanceState(before, CODES[before])
    previous: InstanceState = original(instance)
    if MACHINES.attached:
        _set(instance, "pending")
    return previous


@extends(Instance, "stop")
def stop(original: Method, instance: Instance) -> InstanceState:
    """Stopping until the machine is down."""
    before = instance.state
    if not MACHINES.attached:
        previous: InstanceState = original(instance)
        return previous
    if before in {"pending", "running"}:
        _set(instance, "stopping")
    return InstanceState(before, CODES[before])


@extends(Instance, "terminate")
def terminate(original: Method, instance: Instance) -> InstanceState:
    """Shutting down until the machine is; address and disks are held until then."""
    before = instance.state
    if not MACHINES.attached:
        previous: InstanceState = original(instance)
        return previous
    if before != "terminated":
        _set(instance, "shutting-down")
    return InstanceState(before, CODES[before])


@extends(Instance, "reboot")
def reboot(original: Method, instance: Instance) -> None:
    """Count it for the controller; the state stays `running` throughout, as in AWS."""
    if MACHINES.attached:
        MACHINES.reboots[instance.id] = MACHINES.reboots.get(instance.id, 0) + 1
    else:
        original(instance)


def _status(original: Method, instance: Instance) -> dict[str, object]:
    status: dict[str, object] = original(instance)
    if not MACHINES.attached or instance.state != "running":
        return status
    known = MACHINES.reachable.get(instance.id)
    if known is None:
        detail, summary = "initializing", "initializing"
    else:
        detail, summary = ("passed", "ok") if known else ("failed", "impaired")
    return {"Details": [{"Name": "reachability", "Status": detail}], "Status": summary}


def _watched(original: Method) -> property:
    return property(lambda instance: _status(original, instance))


for _name in ("instance_status", "system_status"):
    setattr(Instance, _name, _watched(Instance.__dict__[_name].fget))


@extends(EC2Response, "get_console_output")
def get_console_output(original: Method, response: EC2Response) -> ActionResult:
    """What the machine wrote to its console; stock moto has the same old boot for everyone."""
    if MACHINES.consoles is None:
        answer: ActionResult = original(response)
        return answer
    instance = response.ec2_backend.get_instance(response._get_param("InstanceId"))  # noqa: SLF001
    path = MACHINES.consoles / f"{instance.id}.log"
    text = path.read_bytes()[-CONSOLE_BYTES:] if path.exists() else b""
    return ActionResult(
        {
            "InstanceId": instance.id,
            "Timestamp": utcnow(),
            "Output": Base64EncodedString.from_raw_string(text.decode(errors="replace")),
        }
    )
