"""VPC flow logs.

Stock moto looks for a log group by its name only: given the group's ARN, as providers do, it says
that delivery failed. The ARN and the name mean the same group.
"""

from moto.ec2.models import EC2Backend
from moto.ec2.models.flow_logs import FlowLogs

from lab.cloud.corrections.patching import Method, extends

NAME_IN_ARN = 6
"""arn:partition:logs:region:account:log-group:NAME, perhaps with `:*` at its end."""


@extends(EC2Backend, "create_flow_logs")
def create_flow_logs(
    original: Method,
    backend: EC2Backend,
    *,
    log_destination: str | None,
    log_group_name: str | None,
    **kwargs: object,
) -> tuple[list[FlowLogs], list[object]]:
    """CreateFlowLogs. Raises what moto raises."""
    if log_destination and log_destination.split(":")[2] == "logs":
        log_group_name = log_group_name or log_destination.split(":")[NAME_IN_ARN]
    made: tuple[list[FlowLogs], list[object]] = original(
        backend, log_destination=log_destination, log_group_name=log_group_name, **kwargs
    )
    return made
