"""The whole program on the real engine: it comes up whatever happens, and resizing touches only
the members that come and go."""

import base64
import json
import re
from typing import Any

import yaml

from components.naming import api_servers, etcd_members, worker_pools
from components.network.placement import placement
from components.userdata import CloudConfig, api_server, encode, etcd_member, worker
from config import check
from lab.cloud.aws_environment import REGION
from lab.tests.engine.program.account_snapshot import AccountSnapshot
from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.update_steps import completed, find_step
from tests.recording import REPOSITORY, ZONES, Deploy

STACK_FILE = REPOSITORY / "config" / "Pulumi.local.yaml"
RESIZED = ("etcd-3", "etcd-4")

LISTED = {
    "aws:autoscaling/group:Group": "Auto Scaling group",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarm",
    "aws:ebs/volume:Volume": "volume",
    "aws:ec2/eip:Eip": "elastic address",
    "aws:ec2/instance:Instance": "instance",
    "aws:ec2/internetGateway:InternetGateway": "internet gateway",
    "aws:ec2/launchTemplate:LaunchTemplate": "launch template",
    "aws:ec2/natGateway:NatGateway": "NAT gateway",
    "aws:ec2/placementGroup:PlacementGroup": "placement group",
    "aws:ec2/routeTable:RouteTable": "route table",
    "aws:ec2/securityGroup:SecurityGroup": "security group",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:ec2/vpc:Vpc": "VPC",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "VPC endpoint",
    "aws:iam/instanceProfile:InstanceProfile": "instance profile",
    "aws:iam/role:Role": "role",
    "aws:kms/alias:Alias": "key alias",
    "aws:kms/key:Key": "key",
    "aws:lb/loadBalancer:LoadBalancer": "load balancer",
    "aws:lb/targetGroup:TargetGroup": "target group",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:sns/topic:Topic": "topic",
    "aws:ssm/parameter:Parameter": "parameter",
}
"""What the inventory of the account calls a type of resource; the others are parts of these."""


def stack_config() -> dict[str, Any]:
    return dict(yaml.safe_load(STACK_FILE.read_text())["config"])


def state_counts(state: list[dict[str, Any]]) -> dict[str, int]:
    types = [resource["type"] for resource in state]
    return {LISTED[type_]: types.count(type_) for type_ in set(types) & set(LISTED)}


def workers(account: AccountSnapshot) -> set[str]:
    """Ids of the instances that are their groups' and not the program's."""
    return {machine.id for name, machine in account.machines.items() if "-workers-" in name}


def account_counts(account: AccountSnapshot) -> dict[str, int]:
    """Numbers by kind, without the workers. Interfaces come with machines, and root disks with the
    nodes."""
    found = {kind: len(names) for kind, names in account.inventory.items()}
    found["instance"] -= len(workers(account))
    found["volume"] = len(account.volumes)
    found.pop("network interface", None)
    return found


def test_after_a_kill_within_an_operation_the_account_begins_again(resized: ScenarioRun) -> None:
    assert resized["killed"].status < 0
    assert "whose effect is unknown: starting clean" in resized["interrupted"].text


def test_an_interrupted_update_ends_with_a_sentence(resized: ScenarioRun) -> None:
    interrupted = resized["interrupted"]
    assert interrupted.status == 130
    assert interrupted.text.splitlines()[-1] == "Interrupted; run the command again to continue."
    assert "Traceback" not in interrupted.text
    assert 0 < len(interrupted.account.machines) < 6, "it was cut off in the middle"
    assert "continuing with the AWS emulator" in resized["up"].text


def test_up_after_a_kill_and_an_interrupt_creates_exactly_the_program(
    resized: ScenarioRun, deploy_stack: Deploy
) -> None:
    up = resized["up"]
    program = deploy_stack(stack_config(), stack="local")
    wanted = {(r.type, r.name) for r in program.resources}
    made = {
        (resource["type"], resource["urn"].split("::", 3)[3])
        for resource in up.state
        if not resource["type"].startswith("pulumi:")
    }
    assert made == wanted
    assert len(made) == len([r for r in up.state if not r["type"].startswith("pulumi:")])


def test_nothing_is_doubled_in_the_account(resized: ScenarioRun) -> None:
    up = resized["up"]
    assert account_counts(up.account) == state_counts(up.state)
    ids = {resource["id"] for resource in up.state if "id" in resource}
    ids |= workers(up.account)
    assert len(workers(up.account)) == 2
    for kind in ("instance", "VPC", "subnet", "security group", "bucket", "key"):
        assert set(up.account.inventory[kind]) <= ids


def test_what_was_made_before_the_interrupt_is_kept(resized: ScenarioRun) -> None:
    before, after = resized["interrupted"].account, resized["up"].account
    steps = completed(resized["interrupted"].steps)
    finished = {name for _, type_, name in steps if type_ == "aws:ec2/instance:Instance"}
    assert "local-etcd-0" in finished
    # One that was being created may be replaced: nobody knows what it lacks.
    for name in finished:
        assert after.machines[name].id == before.machines[name].id
    assert before.volumes.items() <= after.volumes.items()


def test_a_second_up_changes_nothing_also_after_a_refresh(resized: ScenarioRun) -> None:
    again = resized["again"]
    assert "etcd: 3 members over 3 zones (1-1-1), quorum 2" in again.text
    assert again.steps == ()
    assert again.account == resized["up"].account


def test_user_data_is_what_the_program_rendered(resized: ScenarioRun) -> None:
    account = resized["up"].account
    values = {
        # Pulumi hands over what a stack file has in quotes as if it had none.
        key.removeprefix("ha-kubernetes:"): yaml.safe_load(value)
        if isinstance(value, str)
        else value
        for key, value in stack_config().items()
        if key.startswith("ha-kubernetes:")
    }
    settings = check(values, stack="local")
    placed = placement(settings, {zone: slot for slot, zone in enumerate(ZONES)}, {})
    (bucket,) = account.inventory["bucket"]
    rendered = {}
    for member in etcd_members(settings, placed):
        name = f"local-{member.name}"
        volume = account.volumes[f"{name}-data"]
        rendered[name] = etcd_member(
            settings, member, region=REGION, volume_id=volume, bucket=bucket
        )
    for node in api_servers(settings, placed):
        rendered[f"local-{node.name}"] = api_server(settings, node, region=REGION, bucket=bucket)
    (balancer,) = [r for r in resized["up"].state if r["type"].endswith(":LoadBalancer")]
    for pool in worker_pools(settings, placed):
        rendered[pool.resource_name("local")] = worker(
            settings,
            pool,
            region=REGION,
            bucket=bucket,
            api_url=f"https://{balancer['outputs']['dnsName']}:6443",
            max_pods=80,
        )
    # Workers of a pool share its name and its user data.
    found = {(name.partition(" ")[0], data) for name, data in account.user_data.items()}
    assert found == {(name, _bytes(config)) for name, config in rendered.items()}


def _bytes(config: CloudConfig) -> bytes:
    return base64.b64decode(encode(config))


def test_growing_creates_two_members_and_changes_the_membership(
    resized: ScenarioRun, deploy_stack: Deploy
) -> None:
    grown = resized["grown"]
    steps = completed(grown.steps)
    assert {step for step in steps if step[0] != "create"} == {
        ("update", "aws:ssm/parameter:Parameter", "local-etcd-members")
    }
    created = {name for op, _, name in steps if op == "create"}
    assert created
    assert {re.sub(r"^local-(etcd-\d).*", r"\1", name) for name in created} == set(RESIZED)
    wanted = deploy_stack(_sized(5), stack="local")
    members = {
        (r.type, r.name)
        for r in wanted.resources
        if re.match(r"local-etcd-[34](-|$)", r.name) and not r.type.startswith("hak8s:")
    }
    assert {(type_, name) for op, type_, name in steps if op == "create"} == members


def _sized(size: int) -> dict[str, Any]:
    config = stack_config()
    return {**config, "ha-kubernetes:etcd": {**config["ha-kubernetes:etcd"], "size": size}}


def test_a_new_member_boots_after_the_one_before_it_has_its_disk(resized: ScenarioRun) -> None:
    steps = resized["grown"].steps
    disk = find_step(steps, "create", "VolumeAttachment", "local-etcd-3-data")
    assert disk.end < find_step(steps, "create", "Instance", "local-etcd-4").began
    membership = find_step(steps, "update", "Parameter", "local-etcd-members")
    assert membership.end < find_step(steps, "create", "Instance", "local-etcd-3").began


def test_growing_touches_no_machine_no_disk_and_no_marker(resized: ScenarioRun) -> None:
    before, after = resized["up"].account, resized["grown"].account
    assert before.machines.items() <= after.machines.items()
    assert before.volumes.items() <= after.volumes.items()
    assert before.targets == after.targets
    changed = {name for name, value in before.parameters.items() if after.parameters[name] != value}
    assert changed == {"/local/etcd/members"}


def test_the_membership_says_who_is_to_be_there(resized: ScenarioRun) -> None:
    for update, size in (("up", 3), ("grown", 5), ("shrunk", 3)):
        _, members = resized[update].account.parameters["/local/etcd/members"]
        assert [m["name"] for m in json.loads(members)] == [f"etcd-{n}" for n in range(size)]


def test_shrinking_deletes_what_growing_created(resized: ScenarioRun) -> None:
    grown, shrunk = completed(resized["grown"].steps), completed(resized["shrunk"].steps)
    changed = ("update", "aws:ssm/parameter:Parameter", "local-etcd-members")
    assert changed in shrunk
    assert {(type_, name) for op, type_, name in shrunk if op == "delete"} == {
        (type_, name) for op, type_, name in grown if op == "create"
    }
    assert len(shrunk) == len(grown)


def test_a_member_goes_before_its_disk_and_after_the_younger_one(resized: ScenarioRun) -> None:
    steps = resized["shrunk"].steps
    for member in RESIZED:
        machine = find_step(steps, "delete", "Instance", f"local-{member}")
        disk = find_step(steps, "delete", "VolumeAttachment", f"local-{member}-data")
        volume = find_step(steps, "delete", "Volume", f"local-{member}-data")
        assert disk.end < machine.began
        assert machine.end < volume.began
    younger = find_step(steps, "delete", "Instance", "local-etcd-4")
    assert younger.end < find_step(steps, "delete", "Instance", "local-etcd-3").began
    assert younger.end < find_step(steps, "delete", "VolumeAttachment", "local-etcd-3-data").began


def test_after_growing_and_shrinking_the_account_is_as_before(resized: ScenarioRun) -> None:
    before, after = resized["up"].account, resized["shrunk"].account
    assert after.inventory == before.inventory
    assert after.machines == before.machines
    assert after.volumes == before.volumes
    marker = "/local/etcd/formation"
    assert after.parameters[marker] == before.parameters[marker]
