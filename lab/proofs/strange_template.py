"""Launch template whose machines never join, in a group's own one's place while a context lasts."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lab.proofs.joined_workers import Worker
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until_none
from node.contract import DRAIN_HOOK, JOIN_HOOK

NAME = "proof-never-joins"
USER_DATA = "#cloud-config\n{}\n"
"""Without the agent: a machine that boots, and nothing more."""
STARTING = "Pending"


@dataclass(frozen=True)
class StrangeGroup:
    """A group whose next machines are of the strange template. Raises botocore's errors."""

    session: LabSession
    name: str

    def described(self) -> Mapping[str, Any]:
        """What AWS says of it (DescribeAutoScalingGroups)."""
        groups = self.session.lab.aws("autoscaling")
        (found,) = groups.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
            "AutoScalingGroups"
        ]
        return dict(found)

    def states(self) -> dict[str, str]:
        """Life-cycle state of each of its instances."""
        return {one["InstanceId"]: one["LifecycleState"] for one in self.described()["Instances"]}

    def refresh(self) -> None:
        """Begin to replace all of them, as a change of the pool does."""
        self.session.lab.aws("autoscaling").start_instance_refresh(
            AutoScalingGroupName=self.name,
            Preferences={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110},
        )

    def cancel(self) -> None:
        """End the refresh, whatever is on its way; one that has ended stays so."""
        try:
            self.session.lab.aws("autoscaling").cancel_instance_refresh(
                AutoScalingGroupName=self.name, WaitForTransitioningInstances=False
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ActiveInstanceRefreshNotFound":
                raise

    def complete(self, instance: str, hook: str, result: str) -> None:
        """Complete a hook, as a person does; one that nothing waits for is none."""
        try:
            self.session.lab.aws("autoscaling").complete_lifecycle_action(
                AutoScalingGroupName=self.name,
                LifecycleHookName=hook,
                InstanceId=instance,
                LifecycleActionResult=result,
            )
        except ClientError as error:
            if "No active Lifecycle Action" not in str(error):
                raise

    def give_up(self, old: set[str]) -> list[str]:
        """Give up what is not of old, and say what is left of it. Nobody is on such a machine who
        could say that it is empty."""
        left = {one: state for one, state in self.states().items() if one not in old}
        for instance, state in left.items():
            starts = state.startswith(STARTING)
            hook, result = (JOIN_HOOK, "ABANDON") if starts else (DRAIN_HOOK, "CONTINUE")
            self.complete(instance, hook, result)
        return [f"{instance} is {state}" for instance, state in left.items()]


@contextmanager
def strange_template(session: LabSession, worker: Worker) -> Iterator[StrangeGroup]:
    """Give a worker's group the template, and take everything back: refresh, machines, template.

    Raises botocore's errors, and AssertionError when machines of it stay.
    """
    groups, ec2 = session.lab.aws("autoscaling"), session.lab.aws("ec2")
    (member,) = groups.describe_auto_scaling_instances(InstanceIds=[worker.machine.instance.id])[
        "AutoScalingInstances"
    ]
    name = member["AutoScalingGroupName"]
    group = StrangeGroup(session, name)
    old = set(group.states())
    template = group.described()["LaunchTemplate"]
    own = {key: template[key] for key in ("LaunchTemplateId", "Version")}
    (version,) = ec2.describe_launch_template_versions(
        LaunchTemplateId=own["LaunchTemplateId"], Versions=[own["Version"]]
    )["LaunchTemplateVersions"]
    user_data = base64.b64encode(USER_DATA.encode()).decode()
    ec2.create_launch_template(
        LaunchTemplateName=NAME,
        LaunchTemplateData={**version["LaunchTemplateData"], "UserData": user_data},
    )
    try:
        groups.update_auto_scaling_group(
            AutoScalingGroupName=name, LaunchTemplate={"LaunchTemplateName": NAME, "Version": "1"}
        )
        yield group
    finally:
        group.cancel()
        groups.update_auto_scaling_group(AutoScalingGroupName=name, LaunchTemplate=own)
        until_none("machines that never join are gone", lambda: group.give_up(old))
        ec2.delete_launch_template(LaunchTemplateName=NAME)
