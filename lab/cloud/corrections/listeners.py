# ruff: noqa: SLF001 - moto has no public name for what is corrected here
"""Listeners.

Stock moto lets two load balancers share a target group, and two listeners a port. AWS refuses both:
a target group belongs to one load balancer, so a load balancer that is replaced by creating its
successor first must have a target group of its own. An update that forgot it would pass here and
fail half-way in AWS.
"""

from collections.abc import Iterator, Sequence

from moto.elbv2.exceptions import DuplicateListenerError, ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeListener

from lab.cloud.corrections.patching import Method, extends, given

Actions = Sequence[dict[str, object]]


@extends(ELBv2Backend, "create_listener")
def create_listener(
    original: Method, backend: ELBv2Backend, *args: object, **kwargs: object
) -> FakeListener:
    """CreateListener. Raises DuplicateListener and TargetGroupAssociationLimit."""
    asked = given(original, backend, *args, **kwargs)
    load_balancer = backend.load_balancers.get(asked["load_balancer_arn"])
    if load_balancer is not None and any(
        int(listener.port) == int(asked["port"]) for listener in load_balancer.listeners.values()
    ):
        raise DuplicateListenerError
    _refuse_shared(backend, asked["load_balancer_arn"], asked["actions"])
    listener: FakeListener = original(backend, *args, **kwargs)
    return listener


@extends(ELBv2Backend, "modify_listener")
def modify_listener(
    original: Method, backend: ELBv2Backend, *args: object, **kwargs: object
) -> FakeListener:
    """ModifyListener. Raises TargetGroupAssociationLimit."""
    asked = given(original, backend, *args, **kwargs)
    load_balancer = str(asked["arn"]).replace(":listener/", ":loadbalancer/").rpartition("/")[0]
    _refuse_shared(backend, load_balancer, asked["actions"] or ())
    listener: FakeListener = original(backend, *args, **kwargs)
    return listener


def _refuse_shared(backend: ELBv2Backend, load_balancer: str, actions: Actions) -> None:
    for action in actions:
        for group in backend._get_target_group_arns_from(action):
            if any(user != load_balancer for user in _users(backend, group)):
                raise ELBClientError(
                    "TargetGroupAssociationLimit",
                    "The following target groups cannot be associated with more than one load "
                    f"load balancer: {group}",
                )


def _users(backend: ELBv2Backend, group: str) -> Iterator[str]:
    """The load balancers whose listeners forward to a target group."""
    for load_balancer in list(backend.load_balancers.values()):
        for listener in list(load_balancer.listeners.values()):
            for rule in list(listener.rules.values()):
                for action in rule.actions:
                    if group in backend._get_target_group_arns_from(action.data):
                        yield load_balancer.arn
