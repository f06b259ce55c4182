"""A pool of workers with the real engine and the real Terraform AWS provider, in the local cloud:
made, left alone, resized, rolled, and gone without a rest."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.cloud import emulator_server
from lab.engine.model import Engine
from lab.tests.engine.throwaway import REGION, CommandResult, Project, make
from node.contract import CLUSTER_TAG, POOL_TAG
from tests.recording import REPOSITORY

IMAGE_OWNER = "136693071363"

PROGRAM = f"""
import json
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from components.naming import worker_pools
from components.network.placement import placement
from components.nodes.role_policy import Account
from components.storage.kms_key import EncryptionKey, EncryptionKeyArgs
from components.workers.pod_capacity import PodCapacity
from components.workers.worker_pool import WorkerPool, WorkerPoolArgs
from config import check

config = pulumi.Config()
settings = check(
    {{"workers": {{"general": json.loads(config.require("pool"))}}}}, stack="test"
)
account = Account("aws", "{REGION}", "123456789012")
zones = ("{REGION}a", "{REGION}b", "{REGION}c")
vpc = aws.ec2.Vpc("test", cidr_block="10.0.0.0/16")
image = aws.ec2.get_ami(owners=["{IMAGE_OWNER}"], most_recent=True,
    filters=[aws.ec2.GetAmiFilterArgs(name="architecture", values=["x86_64"])])
subnets = {{}}
for index, zone in enumerate(zones):
    block = list(IPv4Network("10.0.0.0/16").subnets(new_prefix=20))[index]
    subnet = aws.ec2.Subnet(f"workers-{{zone}}", vpc_id=vpc.id, cidr_block=str(block),
        availability_zone=zone)
    half, other = block.subnets()
    aws.ec2.SubnetCidrReservation(f"pods-{{zone}}", subnet_id=subnet.id, cidr_block=str(other),
        reservation_type="prefix", description="Addresses of pods")
    subnets[zone] = subnet.id
group = aws.ec2.SecurityGroup("workers", vpc_id=vpc.id, description="Workers")
key = EncryptionKey("test", EncryptionKeyArgs(account=account, protect=False, auto_scaling=True))
slots = {{zone: slot for slot, zone in enumerate(zones)}}
(planned,) = worker_pools(settings, placement(settings, slots, {{}}))
pool = WorkerPool(
    "test-workers-general",
    WorkerPoolArgs(
        settings=settings,
        pool=planned,
        account=account,
        image_id=image.id,
        root_device=image.root_device_name,
        subnet_ids=subnets,
        security_group_id=group.id,
        api_url=config.get("api") or "https://lb.example:6443",
        capacity=PodCapacity(prefixes=5, pods=80),
        kms_key_arn=key.arn,
        bucket_name="bucket",
        bucket_arn="arn:aws:s3:::bucket",
        tags={{"kubernetes.io/cluster/test": "owned"}},
    ),
)
pulumi.export("groups", pulumi.Output.all(*pool.group_names))
"""

GROUP = "test-workers-general"


@dataclass
class Pool:
    """The project and its group."""

    project: Project

    def up(self, **config: object) -> tuple[CommandResult, list[tuple[str, str]]]:
        done, steps = self.project.up(**config)
        assert done.status == 0, done.text
        return done, [step for step in steps if step[0] != "same"]

    @property
    def group(self) -> dict:
        scaling = self.project.client("autoscaling")
        found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
        return found["AutoScalingGroups"][0]

    @property
    def instances(self) -> list[dict]:
        ids = [one["InstanceId"] for one in self.group["Instances"]]
        if not ids:
            return []
        found = self.project.client("ec2").describe_instances(InstanceIds=ids)["Reservations"]
        return [one for reservation in found for one in reservation["Instances"]]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[emulator_server.Server]:
    running = emulator_server.start(tmp_path_factory.mktemp("emulator"), port=0)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def pool(engine: Engine, server, tmp_path_factory) -> Iterator[Pool]:
    directory = tmp_path_factory.mktemp("worker-pool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPOSITORY))
        project = make(engine, server.endpoint, directory, PROGRAM, name="worker-pool")
        made = Pool(project)
        made.up(pool=json.dumps({"min": 3, "max": 6}))
        yield made


def test_a_pool_is_a_worker_in_each_zone(pool):
    assert sorted(one["Placement"]["AvailabilityZone"] for one in pool.instances) == [
        f"{REGION}{zone}" for zone in "abc"
    ]
    for one in pool.instances:
        tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        assert (tags[CLUSTER_TAG], tags[POOL_TAG], tags["Name"]) == ("test", "general", GROUP)
        assert one["MetadataOptions"]["HttpTokens"] == "required"
        (interface,) = one["NetworkInterfaces"]
        assert len(interface["Ipv4Prefixes"]) == 5
        volume = one["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        (disk,) = pool.project.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"]
        assert disk["Encrypted"]
        assert "test" in one["IamInstanceProfile"]["Arn"]


def test_a_second_update_changes_nothing(pool):
    planned = pool.project.pulumi("preview", "--diff", "--expect-no-changes")
    assert planned.status == 0, planned.text
    shown = pool.project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert shown.status == 0, shown.text


def test_an_autoscalers_size_is_left_alone(pool):
    pool.project.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName=GROUP, DesiredCapacity=5
    )
    assert len(pool.instances) == 5
    _, steps = pool.up()
    assert steps == []
    assert len(pool.instances) == 5


def test_the_size_follows_the_settings(pool):
    _, steps = pool.up(pool=json.dumps({"min": 2, "max": 4}))
    assert [step for step in steps if step[0] == "update"] == [("update", GROUP)]
    assert len(pool.instances) == 4


def test_another_template_rolls_the_pool(pool, server):
    before = {one["InstanceId"] for one in pool.instances}
    _, steps = pool.up(api="https://other.example:6443")
    assert ("update", GROUP) in steps
    scaling = pool.project.client("autoscaling")
    for _ in range(12):
        refreshes = scaling.describe_instance_refreshes(AutoScalingGroupName=GROUP)
        (refresh,) = refreshes["InstanceRefreshes"]
        if refresh["Status"] == "Successful":
            break
        assert len(pool.group["Instances"]) >= 4
        server.control.skip(61)
    assert refresh["Status"] == "Successful"
    after = pool.group["Instances"]
    assert not before & {one["InstanceId"] for one in after}
    assert {one["LaunchTemplate"]["Version"] for one in after} == {"2"}


def test_at_last_nothing_is_left(pool, server):
    gone = pool.project.pulumi("destroy", "--yes", "--skip-preview")
    assert gone.status == 0, gone.text
    assert server.inventory() == {}
