# ruff: noqa: SLF001 - moto has no public name for what is corrected here
"""Instances given by subnet, address and security groups (no interface of their own).

Stock moto loses the security groups of the implicit interface (a difference in every plan), keeps
that interface after termination, shows a terminated instance with its old address, ignores
termination protection, and leaves an empty reservation behind a refused launch.
"""

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance, InstanceState, Reservation
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.responses import EC2Response

from lab.cloud.corrections.patching import LAUNCH_LOCK, Method, extends

TERMINATED = "terminated"


def _security_groups(instance: Instance) -> list[SecurityGroup]:
    primary = instance.__dict__.get("nics", {}).get(0)
    groups = instance.__dict__.get("_launch_groups", []) if primary is None else primary._group_set
    return list(groups)


def _set_security_groups(instance: Instance, groups: list[SecurityGroup]) -> None:
    primary = instance.__dict__.get("nics", {}).get(0)
    if primary is None:
        instance.__dict__["_launch_groups"] = list(groups)
    else:
        primary._group_set = list(groups)


def _interfaces(instance: Instance) -> list[NetworkInterface]:
    return [] if instance.state == TERMINATED else list(instance.nics.values())


def _private_address(instance: Instance) -> str | None:
    return None if instance.state == TERMINATED else instance.nics[0].private_ip_address


def _private_name(instance: Instance) -> str:
    address = _private_address(instance)
    if address is None:
        return ""
    return f"ip-{address.replace('.', '-')}.{instance.region_name}.compute.internal"


def _association(original: Method, interface: NetworkInterface) -> dict[str, object] | None:
    """Nothing rather than an empty element, which providers read as a public address."""
    return original(interface) or None


for _name, _property in {
    # As in AWS the instance's groups are those of its primary interface.
    "security_groups": property(_security_groups, _set_security_groups),
    # A terminated instance has no interface, no address, no name.
    "network_interfaces": property(_interfaces),
    "private_ip": property(_private_address),
    "private_ip_address": property(_private_address),
    "private_dns_name": property(_private_name),
}.items():
    setattr(Instance, _name, _property)

_original_association = NetworkInterface.__dict__["association"].fget
setattr(  # noqa: B010 - mypy would want moto's own type
    NetworkInterface,
    "association",
    property(lambda interface: _association(_original_association, interface)),
)


@extends(Instance, "prep_nics")
def prep_nics(
    original: Method,
    instance: Instance,
    nic_spec: list[dict[str, object]],
    *args: object,
    **kwargs: object,
) -> None:
    """Interfaces made at launch go with the instance unless the request says otherwise
    (RunInstances)."""
    kept = {
        int(str(spec.get("DeviceIndex", 0)))
        for spec in nic_spec
        if spec.get("NetworkInterfaceId") or spec.get("DeleteOnTermination") is False
    }
    original(instance, nic_spec, *args, **kwargs)
    for index, interface in instance.nics.items():
        if index not in kept:
            interface.delete_on_termination = True


@extends(Instance, "terminate")
def terminate(original: Method, instance: Instance) -> InstanceState:
    """Terminating twice is allowed; stock moto fails to delete the interface a second time."""
    if instance.state == TERMINATED:
        return InstanceState(TERMINATED, instance.state_code)
    previous: InstanceState = original(instance)
    return previous


@extends(EC2Backend, "run_instances")
def run_instances(
    original: Method, backend: EC2Backend, *args: object, **kwargs: object
) -> Reservation:
    """One launch at a time; a refused launch leaves nothing. Raises what moto raises."""
    with LAUNCH_LOCK:
        before = set(backend.reservations)
        try:
            reservation: Reservation = original(backend, *args, **kwargs)
        except Exception:
            for reservation_id in set(backend.reservations) - before:
                del backend.reservations[reservation_id]
            raise
        return reservation


@extends(EC2Response, "run_instances")
def respond_run_instances(original: Method, response: EC2Response) -> ActionResult:
    """Keep DisableApiTermination, which stock moto does not read from a launch."""
    answer: ActionResult = original(response)
    if response._get_bool_param("DisableApiTermination", if_none=False):
        for instance in answer.result.instances:  # type: ignore[attr-defined] # moto types it as object
            instance.disable_api_termination = True
    return answer
