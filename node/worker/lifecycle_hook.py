"""Lifecycle hook of this instance's group: what the group waits for, and who tells it."""

from botocore.exceptions import ClientError

from node.aws import ATTEMPTS, client, translating_aws_errors
from node.settings import Settings, WorkerSettings
from node.worker.identity import Identity


class LifecycleHook:
    """A hook's action on this instance. What it does raises AwsError when AWS does not."""

    def __init__(
        self, hook: str, settings: Settings, worker: WorkerSettings, identity: Identity
    ) -> None:
        self._client = client("autoscaling", settings.region, attempts=ATTEMPTS)
        self._hook = hook
        self._group = worker.group(settings.name, identity.zone)
        self._instance = identity.instance

    def heartbeat(self) -> None:
        """Have AWS wait the hook's time once more, from now on."""
        with translating_aws_errors():
            self._client.record_lifecycle_action_heartbeat(
                LifecycleHookName=self._hook,
                AutoScalingGroupName=self._group,
                InstanceId=self._instance,
            )

    def complete(self) -> bool:
        """Have AWS go on now; whether it waited for that. It may have gone on already."""
        with translating_aws_errors():
            try:
                self._client.complete_lifecycle_action(
                    LifecycleHookName=self._hook,
                    AutoScalingGroupName=self._group,
                    InstanceId=self._instance,
                    LifecycleActionResult="CONTINUE",
                )
            except ClientError as error:
                if "No active Lifecycle Action" not in str(error):
                    raise
                return False
        return True
