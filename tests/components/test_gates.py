"""Which hooks a program registers, and which resources it binds them to."""

import asyncio
from datetime import timedelta

import pulumi
import pytest

from components.gates import Gates, GatesArgs
from components.gates.aws_reader import AwsAccessDeniedError
from components.gates.checks import Checks
from components.gates.verdict import GateRefusedError
from tests.recording import SMALL, UNPROTECTED

MEMBER, DISK = ("before_delete", "gate-etcd-member"), ("before_delete", "gate-etcd-disk")
NEW_DISK = ("before_create", "gate-etcd-new-disk")
TARGET, SERVER = ("before_delete", "gate-api-target"), ("before_delete", "gate-api-server")

REGISTERED = [
    ("gate-api-server", True),
    ("gate-api-target", True),
    ("gate-etcd-disk", True),
    ("gate-etcd-member", True),
    ("gate-etcd-new-disk", True),
    ("pki-issuance", True),
]
"""Names are in the state of every protected stack: another name would leave it with resources that
nobody can delete."""


@pytest.mark.parametrize("config", [SMALL, UNPROTECTED])
@pytest.mark.parametrize("options", [{}, {"preview": True}], ids=["update", "preview"])
def test_every_run_registers_every_hook_once(deploy_stack, config, options):
    deployment = deploy_stack(config, **options)
    assert sorted(deployment.monitor.hooks) == REGISTERED


def gated(cluster):
    return [r for r in cluster.resources if any(name.startswith("gate-") for _, name in r.hooks)]


def test_a_protected_stack_has_gates_where_something_can_be_lost(cluster):
    members = [f"test-etcd-{number}" for number in range(3)]
    servers = [f"test-api-{number}" for number in range(3)]
    bound = {(r.type.rpartition(":")[2], r.name): set(r.hooks) for r in gated(cluster)}
    assert bound == {
        **{("Instance", name): {MEMBER} for name in members},
        **{("VolumeAttachment", f"{name}-data"): {MEMBER} for name in members},
        **{("Volume", f"{name}-data"): {DISK, NEW_DISK} for name in members},
        **{("TargetGroupAttachment", name): {TARGET} for name in servers},
        **{("Instance", name): {SERVER} for name in servers},
    }


def test_an_unprotected_stack_has_none(deploy_stack):
    cluster = deploy_stack(UNPROTECTED)
    assert gated(cluster) == []


def test_no_change_stops_a_machine_without_asking_a_gate(cluster):
    """The provider stops and starts a machine for another type, and gates stand before deletions."""
    for instance in cluster.registrations("Instance").values():
        assert instance.replace_on_changes == ("instanceType",)
        assert instance.inputs["userDataReplaceOnChange"] is True


class Aws:
    """An account in which nothing is known, and no machine runs."""

    def __init__(self, *, runs=False, attached=(), targets=None):
        self._runs, self._attached, self._targets = runs, list(attached), targets or {}
        self.asked = []

    def parameters(self, names):
        self.asked.append("parameters")
        return {}

    def runs(self, instance_id):
        self.asked.append(instance_id)
        return self._runs

    def attached_volumes(self, *, name, cluster):
        self.asked.append((name, cluster))
        return self._attached

    def targets(self, group_arn):
        self.asked.append(group_arn)
        return self._targets


def checks(aws):
    members = frozenset({"etcd-0", "etcd-1", "etcd-2"})
    return Checks(cluster="test", members=members, api_size=2, cloud=aws)


@pytest.fixture
def called(deploy):
    """Call one hook of Gates as the engine would; what it said is returned."""

    def call(hook, *, aws, protect=True, kept=(), preview=False, **args):
        async def program():
            gates = Gates(
                GatesArgs(
                    checks=checks(aws),
                    protect=protect,
                    timeout=timedelta(seconds=0.01),
                    target_group_arn=pulumi.Output.from_input("arn:group"),
                )
            )
            gates._current.update(kept)
            args.setdefault("type", "aws:ec2/instance:Instance")
            args.setdefault("id", "i-1")
            args.setdefault("urn", f"urn::{args['name']}")
            await gates._hooks.by_name[hook](pulumi.ResourceHookArgs(**args))

        deploy(lambda: pulumi.run(program), preview=preview)

    return call


def test_an_unprotected_run_opens_the_gates_that_an_earlier_one_bound(called):
    aws = Aws()
    for hook, name in (
        ("gate-etcd-member", "test-etcd-1"),
        ("gate-etcd-disk", "test-etcd-1-data"),
        ("gate-api-target", "test-api-0"),
        ("gate-api-server", "other-api-0"),
    ):
        called(hook, aws=aws, protect=False, name=name)
    assert aws.asked == []


def test_the_machine_of_an_attachment_is_the_one_that_must_run(called):
    aws = Aws()
    called(
        "gate-etcd-member",
        aws=aws,
        name="test-etcd-1-data",
        id="vai-1",
        old_inputs={"instanceId": "i-2"},
    )
    called("gate-etcd-member", aws=aws, name="test-etcd-1", id="i-3")
    assert aws.asked == ["i-2", "parameters", "i-3", "parameters"]


def test_a_running_member_is_held_back(called):
    with pytest.raises(GateRefusedError, match=r"gate: test-etcd-1 stays: after 0.01s"):
        called("gate-etcd-member", aws=Aws(runs=True), name="test-etcd-1")


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        ("gate-etcd-member", "test-etcd-1"),
        ("gate-etcd-disk", "test-etcd-1-data"),
        ("gate-api-target", "test-api-0"),
        ("gate-api-server", "test-api-0"),
    ],
)
def test_what_is_declared_and_not_replaced_is_not_destroyed(called, hook, name):
    aws = Aws(targets={"10.0.0.2": "healthy"})
    kept = {f"urn::{name}": "this"}
    with pytest.raises(GateRefusedError) as error:
        called(hook, aws=aws, name=name, id="this", kept=kept)
    assert "this stack is protected, and this would destroy it" in str(error.value)
    assert "docs/runbooks/destroy.md" in str(error.value)
    assert aws.asked == []


def test_a_predecessor_is_not_what_is_declared(called):
    aws = Aws(targets={"10.0.0.2": "healthy"})
    kept = {"urn::test-api-0": "i-successor"}
    called(
        "gate-api-server",
        aws=aws,
        name="test-api-0",
        kept=kept,
        old_outputs={"privateIp": "10.0.0.1"},
    )
    assert aws.asked == ["arn:group"]


def test_the_disk_of_a_member_is_refused_at_once(called):
    with pytest.raises(GateRefusedError, match="would delete its data"):
        called("gate-etcd-disk", aws=Aws(), name="test-etcd-1-data", id="vol-1")


def test_a_second_disk_for_a_member_is_refused(called):
    aws = Aws(attached=["vol-1"])
    with pytest.raises(GateRefusedError) as error:
        called("gate-etcd-new-disk", aws=aws, name="test-etcd-1-data", id="")
    assert "it has its disk, vol-1, and this would replace it by an empty one" in str(error.value)
    called("gate-etcd-new-disk", aws=Aws(), name="test-etcd-1-data", id="")
    assert aws.asked == [("test-etcd-1-data", "test")]


@pytest.mark.parametrize("name", ["other-etcd-1", "other-etcd-1-data"])
def test_another_cluster_name_does_not_make_members_unwanted(called, name):
    with pytest.raises(GateRefusedError, match="clusterName is now 'test'"):
        called("gate-etcd-member", aws=Aws(), name=name)


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        ("gate-etcd-member", "other-etcd-1"),
        ("gate-etcd-disk", "other-etcd-1-data"),
        ("gate-api-target", "other-api-0"),
        ("gate-api-server", "other-api-0"),
    ],
)
def test_a_preview_refuses_another_cluster_name(called, hook, name):
    aws = Aws()
    with pytest.raises(GateRefusedError, match=r"set it back.*docs/runbooks/destroy\.md"):
        called(hook, aws=aws, name=name, preview=True)
    assert aws.asked == []


def test_a_preview_waits_for_nothing(called):
    aws = Aws(runs=True)
    called("gate-etcd-member", aws=aws, name="test-etcd-1", preview=True)
    called("gate-api-target", aws=aws, name="test-api-1", preview=True)
    assert aws.asked == []


def test_an_unknown_name_opens_nothing(called):
    with pytest.raises(GateRefusedError, match="the resource of no known node"):
        called("gate-etcd-member", aws=Aws(), name="test-surprise")


def test_a_denied_request_refuses_at_once(called):
    class Denying(Aws):
        def targets(self, group_arn):
            raise AwsAccessDeniedError(
                "AWS refuses elasticloadbalancing:DescribeTargetHealth (Denied)"
            )

    with pytest.raises(GateRefusedError, match="refuses elasticloadbalancing:Describe"):
        called("gate-api-target", aws=Denying(), name="test-api-0")


def test_hooks_do_not_block_each_other(deploy):
    """One that waits leaves the event loop to the others."""
    aws = Aws(runs=True, targets={"10.0.0.2": "healthy"})
    waits = []

    async def program():
        gates = Gates(
            GatesArgs(
                checks=checks(aws),
                protect=True,
                timeout=timedelta(seconds=60),
                target_group_arn=pulumi.Output.from_input("arn:group"),
            )
        )

        def call(hook, name):
            arguments = pulumi.ResourceHookArgs(urn="", id="i-1", name=name, type="")
            return asyncio.ensure_future(gates._hooks.by_name[hook](arguments))

        member = call("gate-etcd-member", "test-etcd-0")
        await call("gate-api-target", "test-api-0")
        waits.append(not member.done())
        member.cancel()
        await asyncio.gather(member, return_exceptions=True)

    deploy(lambda: pulumi.run(program))
    assert waits == [True]
    assert aws.asked[0] != "arn:group", "the one that waits asked first"
    assert "arn:group" in aws.asked
