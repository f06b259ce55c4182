"""Instance refreshes: a pool is replaced a few at a time, and never falls below what it may."""

import pytest
from botocore.exceptions import ClientError

from lab.tests.cloud.worker_groups import Pool

AHEAD = {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 110, "InstanceWarmup": 60}


@pytest.fixture
def pool(aws, emulator, network, tmp_path):
    pool = Pool(aws, emulator, network)
    pool.make_template()
    emulator.control.attach(tmp_path)
    pool.create(least=3)
    pool.machines()
    pool.update(LaunchTemplate={"LaunchTemplateName": pool.name, "Version": pool.new_version()})
    yield pool
    emulator.control.detach()
    pool.scaling.delete_auto_scaling_group(AutoScalingGroupName=pool.name, ForceDelete=True)


def start(pool: Pool, **preferences) -> str:
    answer = pool.scaling.start_instance_refresh(
        AutoScalingGroupName=pool.name, Preferences={**AHEAD, **preferences}
    )
    return answer["InstanceRefreshId"]


def cancel(pool: Pool, *, wait: bool = False) -> None:
    pool.scaling.cancel_instance_refresh(
        AutoScalingGroupName=pool.name, WaitForTransitioningInstances=wait
    )


def last(pool: Pool) -> dict:
    found = pool.scaling.describe_instance_refreshes(AutoScalingGroupName=pool.name)
    return found["InstanceRefreshes"][0]


def test_a_new_version_alone_replaces_nothing(pool):
    assert pool.versions == ["1", "1", "1"]


def test_one_more_comes_before_one_goes(pool):
    start(pool)
    assert pool.versions == ["1", "1", "1", "2"]
    pool.machines()
    assert pool.versions == ["1", "1", "1", "2"], "it is in service, and not warm"
    assert last(pool)["Status"] == "InProgress"
    pool.skip(61)
    assert pool.versions == ["1", "1", "2", "2"], "one went, and the next one came"
    assert last(pool)["PercentageComplete"] == 33


def test_it_ends_when_all_are_new_and_warm(pool):
    refresh = start(pool)
    least = []
    for _ in range(8):
        pool.machines()
        least.append(list(pool.states.values()).count("InService"))
        pool.skip(61)
    assert pool.versions == ["2", "2", "2"]
    assert min(least) >= 3
    found = last(pool)
    assert (found["InstanceRefreshId"], found["Status"]) == (refresh, "Successful")
    assert (found["PercentageComplete"], found["InstancesToUpdate"]) == (100, 0)


def test_a_drain_holds_the_instance_and_not_its_zone(pool):
    pool.hook()
    start(pool)
    pool.machines()
    pool.skip(61)
    leaving = [one for one, state in pool.states.items() if state == "Terminating:Wait"]
    assert len(leaving) == 1
    assert list(pool.states.values()).count("InService") == 3
    pool.complete(leaving[0])
    pool.machines()
    assert leaving[0] not in pool.states


def test_matching_instances_may_be_left_alone(pool):
    pool.update(LaunchTemplate={"LaunchTemplateName": pool.name, "Version": "1"})
    start(pool, SkipMatching=True)
    assert last(pool)["Status"] == "Successful"
    assert pool.versions == ["1", "1", "1"]


def test_one_at_a_time_and_it_can_be_cancelled(pool):
    start(pool)
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        start(pool)
    cancel(pool)
    assert last(pool)["Status"] == "Cancelled"
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        cancel(pool)
    pool.machines()
    assert pool.versions == ["1", "1", "2"], "what was launched ahead is too many now"


def test_a_cancellation_may_wait_for_what_is_on_its_way(pool):
    start(pool)
    cancel(pool, wait=True)
    pool.skip(600)
    assert last(pool)["Status"] == "Cancelling"
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        start(pool)
    pool.machines()
    pool.machines()
    assert last(pool)["Status"] == "Cancelled"
    assert pool.versions == ["1", "1", "2"]


def test_machines_that_never_join_replace_nobody(pool):
    pool.hook(name="join")
    old = set(pool.states)
    start(pool, InstanceWarmup=10)
    pool.machines()
    tried = set()
    for _ in range(4):
        (new,) = pool.states.keys() - old
        tried.add(new)
        assert pool.states == {**dict.fromkeys(old, "InService"), new: "Pending:Wait"}
        pool.skip(901)
        assert pool.states[new].startswith("Terminating")
        pool.machines()
        pool.machines()
    assert len(tried) == 4
    assert last(pool)["Status"] == "Failed"
    assert last(pool)["PercentageComplete"] == 0
    pool.skip(901)
    pool.machines()
    assert pool.states == dict.fromkeys(old, "InService")


def test_what_still_starts_when_it_is_cancelled_is_given_up_and_nobody_goes(pool):
    pool.hook(name="join")
    old = set(pool.states)
    start(pool)
    pool.machines()
    cancel(pool)
    (new,) = pool.states.keys() - old
    pool.complete(new, "ABANDON", hook="join")
    pool.machines()
    assert pool.states == dict.fromkeys(old, "InService")


def test_percentages_too_far_apart_are_refused(pool):
    with pytest.raises(ClientError, match="at most 100 between"):
        start(pool, MinHealthyPercentage=0, MaxHealthyPercentage=110)


def test_new_instances_that_never_run_fail_it_in_the_end(pool):
    start(pool)
    pool.skip(3601)
    assert last(pool)["Status"] == "Failed"
    assert pool.versions == ["1", "1", "1", "2"], "what starts is too much once it is in service"
