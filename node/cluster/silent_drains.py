"""Drains of workers that are silent: nobody is there to do them, and they are over.

A worker without power is given up by its Auto Scaling group, which then waits for the worker's
agent to say that its pods have left (DRAIN_HOOK): for DRAIN_SECONDS, in which its Node stays, and
a StatefulSet's pods cannot move.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from node.aws import client, translating_aws_errors
from node.cluster.gone_nodes import silent
from node.cluster.ready_condition import readiness
from node.cluster.worker_instances import ATTEMPTS
from node.contract import CLUSTER_TAG, DRAIN_HOOK, DRAIN_SECONDS

PER_REQUEST = 50
"""Instances in a request (Auto Scaling API reference, DescribeAutoScalingInstances)."""

WAITING = "Terminating:Wait"


def unheard(nodes: Iterable[Mapping[str, Any]], region: str) -> dict[str, Mapping[str, Any]]:
    """Nodes of pools of which nothing was heard for longer than the grace, by instance.

    Not those that say that they are not ready: their kubelet lives, and their agent drains them.
    """
    return {
        instance: node
        for instance, node in silent(nodes, region).items()
        if readiness(node) == "Unknown"
    }


def hopeless(now: Collection[str], before: Collection[str]) -> list[str]:
    """Those that were unheard the last time, too: a worker may be about to speak again."""
    return sorted(set(now) & set(before))


def lately(deleted: Mapping[str, tuple[str, float]], now: float) -> dict[str, tuple[str, float]]:
    """Those whose drain may still be waited for, of instances whose Node was deleted at a time."""
    return {one: what for one, what in deleted.items() if now - what[1] < DRAIN_SECONDS}


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

    def desired(self, cluster: str) -> int:
        """Machines that the groups of a cluster's pools are to have, together."""
        with translating_aws_errors():
            pages = self._client.get_paginator("describe_auto_scaling_groups").paginate(
                Filters=[{"Name": f"tag:{CLUSTER_TAG}", "Values": [cluster]}]
            )
            return sum(
                group["DesiredCapacity"] for page in pages for group in page["AutoScalingGroups"]
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
