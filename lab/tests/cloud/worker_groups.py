"""Auto Scaling groups for tests: a launch template, a group over two zones, and machines that this
test's own controller plays."""

import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.cloud.emulator_server import Server

_names = itertools.count()


@dataclass
class Pool:
    """A group with its launch template."""

    aws: Callable[[str], Any]
    server: Server
    network: Any
    template: dict[str, Any] = field(default_factory=dict)
    """Changes of the template's data."""
    name: str = field(default_factory=lambda: f"pool-{next(_names)}")

    @property
    def scaling(self) -> Any:
        return self.aws("autoscaling")

    @property
    def ec2(self) -> Any:
        return self.aws("ec2")

    def data(self, **changes: Any) -> dict[str, Any]:
        return {
            "ImageId": self.network.image,
            "InstanceType": "t3.medium",
            "UserData": base64.b64encode(b"#cloud-config\n").decode(),
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            "NetworkInterfaces": [{"DeviceIndex": 0, "Groups": [self.network.group]}],
            **self.template,
            **changes,
        }

    def make_template(self, **changes: Any) -> str:
        made = self.ec2.create_launch_template(
            LaunchTemplateName=self.name, LaunchTemplateData=self.data(**changes)
        )
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def new_version(self, **changes: Any) -> str:
        made = self.ec2.create_launch_template_version(
            LaunchTemplateName=self.name, LaunchTemplateData=self.data(**changes)
        )
        return str(made["LaunchTemplateVersion"]["VersionNumber"])

    def create(self, least: int = 2, most: int = 4, **changes: Any) -> "Pool":
        arguments = {
            "AutoScalingGroupName": self.name,
            "MinSize": least,
            "MaxSize": most,
            "VPCZoneIdentifier": f"{self.network.subnet},{self.network.other_subnet}",
            "LaunchTemplate": {"LaunchTemplateName": self.name, "Version": "1"},
            "HealthCheckGracePeriod": 0,
        }
        self.scaling.create_auto_scaling_group(**arguments | changes)
        return self

    def update(self, **changes: Any) -> None:
        self.scaling.update_auto_scaling_group(AutoScalingGroupName=self.name, **changes)

    def hook(self, heartbeat: int = 900, name: str = "drain") -> None:
        leaves = name == "drain"
        transition = "TERMINATING" if leaves else "LAUNCHING"
        self.scaling.put_lifecycle_hook(
            AutoScalingGroupName=self.name,
            LifecycleHookName=name,
            LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
            HeartbeatTimeout=heartbeat,
            DefaultResult="CONTINUE" if leaves else "ABANDON",
        )

    def complete(self, instance: str, result: str = "CONTINUE", hook: str = "drain") -> None:
        self.scaling.complete_lifecycle_action(
            AutoScalingGroupName=self.name,
            LifecycleHookName=hook,
            InstanceId=instance,
            LifecycleActionResult=result,
        )

    @property
    def group(self) -> dict[str, Any]:
        found = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return dict(found["AutoScalingGroups"][0])

    @property
    def states(self) -> dict[str, str]:
        """Life-cycle state by instance, in the order of their launches."""
        return {one["InstanceId"]: one["LifecycleState"] for one in self.group["Instances"]}

    @property
    def versions(self) -> list[str]:
        """Of the launch template, in service or starting."""
        return sorted(
            one["LaunchTemplate"]["Version"]
            for one in self.group["Instances"]
            if not one["LifecycleState"].startswith("Terminating")
        )

    @property
    def activities(self) -> list[tuple[str, str]]:
        """Status and message of each scaling activity, the last one first."""
        found = self.scaling.describe_scaling_activities(AutoScalingGroupName=self.name)
        return [(one["StatusCode"], one.get("StatusMessage", "")) for one in found["Activities"]]

    @property
    def failures(self) -> list[str]:
        found = self.scaling.describe_scaling_activities(AutoScalingGroupName=self.name)
        return [
            one["StatusMessage"] for one in found["Activities"] if one["StatusCode"] == "Failed"
        ]

    def machines(self) -> None:
        """Let every machine follow its instance: boot what is pending, end what shuts down."""
        follow = {"pending": "running", "shutting-down": "terminated"}
        for instance in self.states:
            state = self.network.read(instance)["State"]["Name"]
            if state in follow:
                self.server.control.report(instance, follow[state], reachable=True)
        self.look()

    def report(self, instance: str, *, reachable: bool) -> None:
        """Say whether a machine answers."""
        self.server.control.report(instance, None, reachable=reachable)
        self.look()

    def look(self) -> None:
        """Whoever asks anything has the groups brought up to date."""
        self.scaling.describe_auto_scaling_groups()

    def skip(self, seconds: float) -> None:
        self.server.control.skip(seconds)
