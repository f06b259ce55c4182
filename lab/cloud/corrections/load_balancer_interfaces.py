"""Network interfaces of network load balancers.

Stock moto gives a load balancer no address. AWS puts an interface with the load balancer's security
groups into each of its subnets: that is what makes its address a member of them, which the groups
of its targets let in.
"""

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

from lab.cloud.corrections.patching import Method, extends


@extends(ELBv2Backend, "create_load_balancer")
def create_load_balancer(
    original: Method, backend: ELBv2Backend, *args: object, **kwargs: object
) -> FakeLoadBalancer:
    """CreateLoadBalancer with the interfaces of a network load balancer."""
    load_balancer: FakeLoadBalancer = original(backend, *args, **kwargs)
    _follow(backend, load_balancer)
    return load_balancer


@extends(ELBv2Backend, "set_security_groups")
def set_security_groups(
    original: Method, backend: ELBv2Backend, arn: str, *args: object, **kwargs: object
) -> None:
    """Interfaces are in the groups of their load balancer."""
    original(backend, arn, *args, **kwargs)
    _follow(backend, backend.load_balancers[arn])


@extends(ELBv2Backend, "set_subnets")
def set_subnets(
    original: Method, backend: ELBv2Backend, arn: str, *args: object, **kwargs: object
) -> object:
    """Interfaces come and go with the subnets."""
    answer: object = original(backend, arn, *args, **kwargs)
    _follow(backend, backend.load_balancers[arn])
    return answer


@extends(ELBv2Backend, "delete_load_balancer")
def delete_load_balancer(original: Method, backend: ELBv2Backend, arn: str) -> None:
    """Interfaces go with their load balancer."""
    load_balancer = backend.load_balancers.get(arn)
    original(backend, arn)
    if load_balancer is not None:
        for interface in _interfaces(backend, load_balancer):
            interface.delete()


def _description(load_balancer: FakeLoadBalancer) -> str:
    return f"ELB {load_balancer.arn.partition(':loadbalancer/')[2]}"


def _interfaces(backend: ELBv2Backend, load_balancer: FakeLoadBalancer) -> list[NetworkInterface]:
    description = _description(load_balancer)
    return [
        one for one in list(backend.ec2_backend.enis.values()) if one.description == description
    ]


def _follow(backend: ELBv2Backend, load_balancer: FakeLoadBalancer) -> None:
    if load_balancer.type != "network":
        return
    wanted = {subnet.id for subnet in load_balancer.subnets}
    for interface in _interfaces(backend, load_balancer):
        if interface.subnet.id not in wanted:
            interface.delete()
    there = {interface.subnet.id for interface in _interfaces(backend, load_balancer)}
    for subnet in wanted - there:
        made = backend.ec2_backend.create_network_interface(
            subnet, "", description=_description(load_balancer)
        )
        made.requester_managed = True
        made.requester_id = "amazon-elb"
        made.interface_type = "network_load_balancer"
    # Without any, traffic is not filtered; moto would put them into the VPC's default group.
    groups = [
        group
        for group_id in load_balancer.security_groups or []
        if (group := backend.ec2_backend.get_security_group_from_id(group_id)) is not None
    ]
    for interface in _interfaces(backend, load_balancer):
        interface._group_set = list(groups)  # noqa: SLF001 - moto has no public name for it
