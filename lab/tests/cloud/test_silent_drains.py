"""A worker without power, as the cluster agent ends its drain at Auto Scaling groups."""

import pytest

from lab.cloud import aws_environment
from lab.tests.cloud.worker_groups import Pool
from node.cluster.scaling_groups import AutoScaling


@pytest.fixture
def pool(aws, emulator, network, tmp_path):
    pool = Pool(aws, emulator, network)
    pool.make_template()
    emulator.control.attach(tmp_path)
    pool.create(least=2)
    pool.hook()
    pool.machines()
    yield pool
    emulator.control.detach()
    pool.scaling.delete_auto_scaling_group(AutoScalingGroupName=pool.name, ForceDelete=True)


@pytest.fixture
def scaling(emulator, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    credentials = aws_environment.session().get_credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
    return AutoScaling(aws_environment.session().region_name)


def test_the_drain_of_a_machine_without_power_ends_at_once(pool, scaling):
    silent, other = pool.states
    assert scaling.waiting([silent, other]) == {}
    pool.report(silent, reachable=False)
    pool.skip(200)
    pool.look()
    assert pool.states[silent] == "Terminating:Wait"
    assert scaling.waiting([silent, other, "i-0123456789abcdef0"]) == {silent: pool.name}
    assert scaling.complete(silent, pool.name)
    assert pool.states[silent] == "Terminating:Proceed"
    assert scaling.waiting([silent, other]) == {}
    assert not scaling.complete(silent, pool.name)
    pool.machines()
    assert silent not in pool.states
