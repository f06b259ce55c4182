"""Network load balancers.

Stock moto names every load balancer `loadbalancer/app/...`. CloudWatch dimensions are cut from the
ARN, so an alarm on a network load balancer would name one that does not exist. Its DNS name is not
under the domain that AWS has for them, and it is active although nobody has made it answer. One
that is asked for without a scheme has none, where AWS makes it internet-facing. It deletes what is
protected from deletion, and gives a name twice: a replacement that AWS refuses half-way would pass.
A target group goes on naming a load balancer that was deleted.
"""

from contextvars import ContextVar

from moto.elbv2 import models, utils
from moto.elbv2.exceptions import DuplicateLoadBalancerName, ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

from lab.cloud.corrections.life_cycle import MACHINES
from lab.cloud.corrections.patching import Method, extends, given

KINDS = {"network": "net", "gateway": "gwy"}
_kind: ContextVar[str] = ContextVar("kind", default="app")
_original_arn = utils.make_arn_for_load_balancer
_answering: set[str] = set()


def report(arn: str) -> None:
    """A load balancer answers."""
    _answering.add(arn)


@extends(ELBv2Backend, "create_load_balancer")
def create_load_balancer(
    original: Method, backend: ELBv2Backend, *args: object, **kwargs: object
) -> FakeLoadBalancer:
    """CreateLoadBalancer with the ARN of its type, and the name of a network load balancer. Raises
    DuplicateLoadBalancerName."""
    name = given(original, backend, *args, **kwargs)["name"]
    if any(load_balancer.name == name for load_balancer in list(backend.load_balancers.values())):
        raise DuplicateLoadBalancerName
    kwargs["scheme"] = kwargs.get("scheme") or "internet-facing"
    token = _kind.set(KINDS.get(str(kwargs.get("loadbalancer_type")), "app"))
    try:
        load_balancer: FakeLoadBalancer = original(backend, *args, **kwargs)
    finally:
        _kind.reset(token)
    if load_balancer.type == "network":
        identity = load_balancer.arn.rpartition("/")[2]
        load_balancer.dns_name = (
            f"{load_balancer.name}-{identity}.elb.{backend.region_name}.amazonaws.com"
        )
    return load_balancer


@extends(ELBv2Backend, "delete_load_balancer")
def delete_load_balancer(original: Method, backend: ELBv2Backend, arn: str) -> None:
    """DeleteLoadBalancer. Raises OperationNotPermitted while deletion protection is on."""
    load_balancer = backend.load_balancers.get(arn)
    if (
        load_balancer is not None
        and str(load_balancer.attrs["deletion_protection.enabled"]) == "true"
    ):
        raise ELBClientError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    original(backend, arn)
    for group in backend.target_groups.values():
        group.load_balancer_arns = [one for one in group.load_balancer_arns if one != arn]


@extends(FakeLoadBalancer, "activate")
def activate(original: Method, load_balancer: FakeLoadBalancer) -> None:
    """Provisioning until it answers, where somebody runs it."""
    if load_balancer.type != "network" or not MACHINES.attached or load_balancer.arn in _answering:
        original(load_balancer)


def _arn(account_id: str, lb_id: str, name: str, region_name: str) -> str:
    arn = _original_arn(account_id, lb_id, name, region_name)
    return arn.replace(":loadbalancer/app/", f":loadbalancer/{_kind.get()}/", 1)


setattr(models, "make_arn_for_load_balancer", _arn)  # noqa: B010 - mypy would want moto's own type
