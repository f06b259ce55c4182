"""Groups of workers as EC2 Auto Scaling knows them."""

from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from node.aws import client, translating_aws_errors
from node.cluster.worker_instances import ATTEMPTS
from node.contract import CLUSTER_TAG, DRAIN_HOOK

PER_REQUEST = 50
"""Instances in a request (Auto Scaling API reference, DescribeAutoScalingInstances)."""

WAITING = "Terminating:Wait"
IN_SERVICE = "InService"
"""Lifecycle states: an instance that is drained, and one whose worker has joined (JOIN_HOOK)."""


@dataclass(frozen=True)
class ScalingGroup:
    """An Auto Scaling group of a pool."""

    name: str
    desired: int
    """Instances that it is to have."""
    in_service: frozenset[str]
    """Ids of its instances in service: not of those that still join, are drained or in standby."""


class AutoScaling:
    """Auto Scaling in one region; everything raises AwsError when AWS does not answer."""

    def __init__(self, region: str) -> None:
        self._client = client("autoscaling", region, attempts=ATTEMPTS)

    def waiting(self, instances: Iterable[str]) -> dict[str, str]:
        """Those of the instances that wait for the end of their drain, with their groups' names."""
        asked, found = sorted(instances), {}
        for start in range(0, len(asked), PER_REQUEST):
            with translating_aws_errors():
                answer = self._client.describe_auto_scaling_instances(
                    InstanceIds=asked[start : start + PER_REQUEST]
                )
            for one in answer["AutoScalingInstances"]:
                if one["LifecycleState"] == WAITING:
                    found[one["InstanceId"]] = one["AutoScalingGroupName"]
        return found

    def groups(self, cluster: str) -> tuple[ScalingGroup, ...]:
        """The groups of a cluster's pools."""
        with translating_aws_errors():
            pages = self._client.get_paginator("describe_auto_scaling_groups").paginate(
                Filters=[{"Name": f"tag:{CLUSTER_TAG}", "Values": [cluster]}]
            )
            return tuple(
                ScalingGroup(
                    group["AutoScalingGroupName"],
                    group["DesiredCapacity"],
                    frozenset(
                        one["InstanceId"]
                        for one in group.get("Instances", ())
                        if one["LifecycleState"] == IN_SERVICE
                    ),
                )
                for page in pages
                for group in page["AutoScalingGroups"]
            )

    def complete(self, instance: str, group: str) -> bool:
        """End an instance's drain; whether there was one to end."""
        with translating_aws_errors():
            try:
                self._client.complete_lifecycle_action(
                    LifecycleHookName=DRAIN_HOOK,
                    AutoScalingGroupName=group,
                    InstanceId=instance,
                    LifecycleActionResult="CONTINUE",
                )
            except ClientError as error:
                # It ended meanwhile, or waits for a hook of a person's own.
                if "No active Lifecycle Action" not in str(error):
                    raise
                return False
        return True
