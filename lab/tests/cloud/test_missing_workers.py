"""Workers that are missing, as the cluster agent counts them at Auto Scaling groups."""

import pytest

from lab.cloud import aws_environment
from lab.tests.cloud.worker_groups import Pool
from node.cluster.scaling_groups import AutoScaling
from node.cluster.worker_metrics import Shortages
from node.contract import CLUSTER_TAG

REGION = "eu-central-1"


@pytest.fixture
def pool(aws, emulator, network, tmp_path):
    pool = Pool(aws, emulator, network)
    pool.make_template()
    emulator.control.attach(tmp_path)
    tag = {"Key": CLUSTER_TAG, "Value": pool.name, "PropagateAtLaunch": True}
    pool.create(least=2, Tags=[tag])
    pool.hook()
    yield pool
    emulator.control.detach()
    pool.scaling.delete_auto_scaling_group(AutoScalingGroupName=pool.name, ForceDelete=True)


@pytest.fixture
def groups(pool, emulator, monkeypatch):
    """What the agent reads of this group alone, as of a cluster of its own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    credentials = aws_environment.session().get_credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
    scaling = AutoScaling(aws_environment.session().region_name)
    return lambda: scaling.groups(pool.name)


def test_a_machine_is_missing_from_its_end_until_its_successor_is_in_service(pool, groups):
    def there():
        (group,) = groups()
        return group.desired, group.in_service

    assert there() == (2, set())
    pool.machines()
    assert there() == (2, pool.states.keys())
    shortages = Shortages()
    assert shortages.seconds(groups(), 0) == 0
    silent, other = pool.states
    pool.report(silent, reachable=False)
    # The group has not given it up yet.
    assert there() == (2, {silent, other})
    pool.skip(200)
    pool.look()
    assert pool.states[silent] == "Terminating:Wait"
    assert there() == (2, {other})
    assert [shortages.seconds(groups(), now) for now in (30, 60)] == [0, 30]
    pool.complete(silent)
    for _ in range(2):
        pool.machines()
    assert there()[0] == len(there()[1]) == 2
    assert silent not in there()[1]
    assert shortages.seconds(groups(), 90) == 0
