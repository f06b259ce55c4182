# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""Detailed monitoring.

Stock moto does not implement MonitorInstances: `monitoring=True` leaves the instance tainted after
many retries.
"""

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

from lab.cloud.corrections.patching import replaces


def _set(response: EC2Response, state: str) -> ActionResult:
    instances = response.ec2_backend.get_multi_instances_by_id(
        response._get_param("InstanceIds", [])
    )
    for instance in instances:
        instance.monitoring_state = state
    return ActionResult(
        {
            "InstanceMonitorings": [
                {"InstanceId": instance.id, "Monitoring": {"State": state}}
                for instance in instances
            ]
        }
    )


@replaces(EC2Response, "monitor_instances")
def monitor_instances(response: EC2Response) -> ActionResult:
    """Turn detailed monitoring on."""
    return _set(response, "enabled")


@replaces(EC2Response, "unmonitor_instances")
def unmonitor_instances(response: EC2Response) -> ActionResult:
    """Turn detailed monitoring off."""
    return _set(response, "disabled")
