"""Auto Scaling groups whose instances are machines: states, health and hooks take their time."""

import pytest
from botocore.exceptions import ClientError

from lab.tests.cloud.worker_groups import Pool


@pytest.fixture
def pool(aws, emulator, network, tmp_path):
    pool = Pool(aws, emulator, network)
    pool.make_template()
    emulator.control.attach(tmp_path)
    yield pool
    emulator.control.detach()
    pool.scaling.delete_auto_scaling_group(AutoScalingGroupName=pool.name, ForceDelete=True)


@pytest.fixture
def drained(pool):
    """A group of two instances whose termination waits for a hook."""
    pool.create(least=2)
    pool.hook()
    pool.machines()
    return pool


def leave(pool: Pool) -> str:
    """Have an instance taken out of service, and say which."""
    instance = next(iter(pool.states))
    pool.scaling.terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=False
    )
    return instance


def instance_state(pool: Pool, instance: str) -> str:
    return str(pool.network.read(instance)["State"]["Name"])


def test_an_instance_is_in_service_once_its_machine_runs(pool):
    pool.create(least=2)
    assert set(pool.states.values()) == {"Pending"}
    pool.machines()
    assert set(pool.states.values()) == {"InService"}


def test_a_hook_holds_the_instance_until_it_is_completed(drained):
    instance = leave(drained)
    assert drained.states[instance] == "Terminating:Wait"
    assert instance_state(drained, instance) == "running"
    assert len(drained.states) == 3, "its replacement does not wait for it"
    drained.skip(600)
    assert drained.states[instance] == "Terminating:Wait"
    drained.complete(instance)
    assert drained.states[instance] == "Terminating:Proceed"
    assert instance_state(drained, instance) == "shutting-down"
    drained.machines()
    assert instance not in drained.states


def test_a_hook_that_nobody_completes_ends_by_itself(drained):
    instance = leave(drained)
    drained.skip(901)
    assert drained.states[instance] == "Terminating:Proceed"


def test_a_heartbeat_draws_it_out_within_limits(drained):
    drained.hook(heartbeat=30)
    instance = leave(drained)
    heartbeat = {
        "AutoScalingGroupName": drained.name,
        "LifecycleHookName": "drain",
        "InstanceId": instance,
    }
    for _ in range(3):
        drained.skip(25)
        drained.scaling.record_lifecycle_action_heartbeat(**heartbeat)
    assert drained.states[instance] == "Terminating:Wait"
    with pytest.raises(ClientError, match="No active Lifecycle Action"):  # noqa: PT012 - after a hundred
        for _ in range(130):
            drained.skip(25)
            drained.scaling.record_lifecycle_action_heartbeat(**heartbeat)
    assert drained.states[instance] == "Terminating:Proceed"


def test_an_abandoned_termination_goes_on(drained):
    instance = leave(drained)
    drained.complete(instance, "ABANDON")
    assert drained.states[instance] == "Terminating:Proceed"


def test_a_hook_that_is_deleted_is_not_waited_for(drained):
    instance = leave(drained)
    drained.scaling.delete_lifecycle_hook(
        AutoScalingGroupName=drained.name, LifecycleHookName="drain"
    )
    assert drained.states[instance] == "Terminating:Proceed"
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        drained.complete(instance)


def test_who_waits_for_nothing_completes_nothing(drained):
    instance = next(iter(drained.states))
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        drained.complete(instance)


@pytest.fixture
def joining(pool):
    """A group whose instance waits until it has joined, as the program makes one."""
    pool.create(least=1)
    pool.hook(name="join")
    pool.hook()
    pool.machines()
    return pool


ABANDONED = "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "


def test_a_launch_waits_for_its_hook_too(pool):
    """One that the group has from the beginning, too."""
    pool.create(
        least=1,
        LifecycleHookSpecificationList=[
            {
                "LifecycleHookName": "join",
                "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
            }
        ],
    )
    pool.machines()
    instance = next(iter(pool.states))
    assert pool.states == {instance: "Pending:Wait"}
    assert pool.activities == [("MidLifecycleAction", "")]
    pool.complete(instance, hook="join")
    assert pool.states == {instance: "InService"}
    assert pool.activities == [("Successful", "")]


@pytest.mark.parametrize("told", [True, False])
def test_a_launch_that_is_abandoned_is_made_again(joining, told):
    """The drain is waited for as well: the instance may be a node already."""
    first = next(iter(joining.states))
    if told:
        joining.complete(first, "ABANDON", hook="join")
    else:
        joining.skip(890)
        assert joining.states == {first: "Pending:Wait"}
        joining.skip(20)
    assert list(joining.states.values()) == ["Terminating:Wait", "Pending"]
    (_, message) = next(one for one in joining.activities if one[0] == "Cancelled")
    assert message.startswith(ABANDONED)
    why = "Lifecycle Action Completed with ABANDON Result" if told else "Heartbeat Timeout"
    assert message.endswith(f"was abandoned: {why}")
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        joining.complete(first, hook="join")
    joining.complete(first)
    joining.machines()
    assert first not in joining.states
    assert list(joining.states.values()) == ["Pending:Wait"]


def test_a_join_hook_that_is_deleted_abandons_what_waits_for_it(joining):
    first = next(iter(joining.states))
    joining.scaling.delete_lifecycle_hook(
        AutoScalingGroupName=joining.name, LifecycleHookName="join"
    )
    assert joining.states[first] == "Terminating:Wait"
    joining.machines()
    assert list(joining.states.values()) == ["Terminating:Wait", "InService"]


def test_scale_in_takes_nothing_that_still_starts(joining):
    first = next(iter(joining.states))
    joining.complete(first, hook="join")
    joining.update(MinSize=2)
    joining.machines()
    joining.update(MinSize=0, MaxSize=0)
    second = next(one for one in joining.states if one != first)
    assert joining.states == {first: "Terminating:Wait", second: "Pending:Wait"}
    with pytest.raises(ClientError, match="instances or pending Spot"):
        joining.scaling.delete_auto_scaling_group(AutoScalingGroupName=joining.name)
    joining.complete(second, hook="join")
    assert joining.states[second] == "Terminating:Wait"


def test_a_forced_deletion_waits_for_no_launch(joining, pool):
    joining.scaling.delete_auto_scaling_group(AutoScalingGroupName=joining.name, ForceDelete=True)
    assert list(joining.states.values()) == ["Terminating:Proceed"]
    joining.machines()
    pool.create()


def test_an_impaired_machine_is_replaced_after_three_minutes(pool):
    pool.create(least=2)
    pool.machines()
    first, second = pool.states
    pool.report(first, reachable=False)
    pool.skip(170)
    assert pool.states == {first: "InService", second: "InService"}
    pool.skip(30)
    assert pool.states[first].startswith("Terminating")
    health = {one["InstanceId"]: one["HealthStatus"] for one in pool.group["Instances"]}
    assert (len(health), health[first], health[second]) == (3, "Unhealthy", "Healthy")
    pool.machines()
    assert first not in pool.states


def test_a_machine_that_recovers_in_time_stays(pool):
    pool.create(least=2)
    pool.machines()
    first, second = pool.states
    pool.report(first, reachable=False)
    pool.skip(170)
    assert len(pool.states) == 2
    pool.report(first, reachable=True)
    pool.skip(300)
    assert pool.states == {first: "InService", second: "InService"}


def test_status_checks_do_not_count_in_the_grace_period(pool):
    pool.create(least=1, HealthCheckGracePeriod=600)
    pool.machines()
    first = next(iter(pool.states))
    pool.report(first, reachable=False)
    pool.skip(500)
    assert pool.states == {first: "InService"}
    pool.skip(200)
    assert pool.states[first].startswith("Terminating")


def test_scale_in_waits_for_the_hook(drained):
    drained.update(MinSize=1, MaxSize=1)
    assert sorted(drained.states.values()) == ["InService", "Terminating:Wait"]
    leaving = next(one for one, state in drained.states.items() if state != "InService")
    drained.complete(leaving)
    drained.machines()
    assert list(drained.states.values()) == ["InService"]


def test_a_forced_deletion_waits_for_no_hook(pool):
    other = Pool(pool.aws, pool.server, pool.network)
    other.make_template()
    other.create(least=1)
    other.hook()
    other.machines()
    other.update(MinSize=0, MaxSize=0)
    assert set(other.states.values()) == {"Terminating:Wait"}
    other.scaling.delete_auto_scaling_group(AutoScalingGroupName=other.name, ForceDelete=True)
    assert other.group["Status"] == "Delete in progress"
    other.machines()
    found = other.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[other.name])
    assert found["AutoScalingGroups"] == []
    pool.create()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"HeartbeatTimeout": 10}, "Heartbeat timeout"),
        ({"LifecycleTransition": "autoscaling:SOMETHING"}, "transition"),
        ({"AutoScalingGroupName": "nobody"}, "not found"),
    ],
)
def test_hooks_that_cannot_be_are_refused(pool, changes, message):
    pool.create()
    arguments = {
        "AutoScalingGroupName": pool.name,
        "LifecycleHookName": "drain",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
    }
    with pytest.raises(ClientError, match=message):
        pool.scaling.put_lifecycle_hook(**arguments | changes)


def test_a_hook_is_read_as_it_was_made(pool):
    pool.create()
    pool.hook()
    found = pool.scaling.describe_lifecycle_hooks(AutoScalingGroupName=pool.name)
    assert found["LifecycleHooks"] == [
        {
            "LifecycleHookName": "drain",
            "AutoScalingGroupName": pool.name,
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "HeartbeatTimeout": 900,
            "GlobalTimeout": 90000,
            "DefaultResult": "CONTINUE",
        }
    ]


def test_the_clock_alone_goes_on(pool):
    """Nobody asks the Auto Scaling API here: the emulator's own clock sees that the machine runs."""
    pool.create(least=1)
    seen = pool.server.control.change(-1)
    pool.machines()
    instance = next(iter(pool.states))
    pool.ec2.terminate_instances(InstanceIds=[instance])
    assert pool.server.control.change(seen) != seen
