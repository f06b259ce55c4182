"""The account as the lab's controller sees it: what a worker has besides every instance."""

from ipaddress import IPv4Network

import pytest

from lab.machines.account import observe
from lab.machines.frontend.lookup import AccountLookup
from lab.tests.cloud.worker_groups import Pool
from node.contract import POOL_TAG


@pytest.fixture
def pool(aws, ec2, emulator, network, tmp_path):
    (vpc,) = ec2.describe_vpcs(VpcIds=[network.vpc])["Vpcs"]
    block = list(IPv4Network(vpc["CidrBlock"]).subnets(new_prefix=24))[50]
    subnet = ec2.create_subnet(
        VpcId=network.vpc, CidrBlock=str(block), AvailabilityZone="eu-central-1a"
    )["Subnet"]["SubnetId"]
    pool = Pool(aws, emulator, network)
    pool.make_template(
        NetworkInterfaces=[{"DeviceIndex": 0, "Groups": [network.group], "Ipv4PrefixCount": 2}],
        InstanceMarketOptions={"MarketType": "spot"},
    )
    emulator.control.attach(tmp_path)
    tag = {"Key": POOL_TAG, "Value": "default", "PropagateAtLaunch": True}
    pool.create(least=1, VPCZoneIdentifier=subnet, Tags=[tag])
    pool.hook()
    yield pool
    emulator.control.detach()
    pool.scaling.delete_auto_scaling_group(AutoScalingGroupName=pool.name, ForceDelete=True)


def test_a_workers_pool_prefixes_and_life(pool, aws, network):
    (instance,) = pool.states
    worker = observe(aws).instances[instance]
    assert (worker.pool, worker.spot) == ("default", True)
    assert [block.prefixlen for block in worker.prefixes] == [28, 28]
    assert worker.target_lifecycle_state == "InService"
    pool.machines()
    pool.scaling.terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=False
    )
    assert observe(aws).instances[instance].target_lifecycle_state == "Terminated"
    plain = network.launch()
    seen = observe(aws).instances[plain["InstanceId"]]
    assert (seen.pool, seen.prefixes, seen.target_lifecycle_state) == (None, (), None)


def test_a_group_is_looked_up_with_its_tags(pool, aws):
    arn, tags = AccountLookup(aws).scaling_group(pool.name)
    assert arn == pool.group["AutoScalingGroupARN"]
    assert tags == {POOL_TAG: "default"}
    assert AccountLookup(aws).scaling_group("nobody") == ("nobody", {})
