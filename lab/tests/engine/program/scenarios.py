"""Scenarios on the real engine: each is the life of one cluster, from its first update on."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lab.engine.aws.tokens import RESOURCES
from lab.processes import ProcessIdentity
from lab.proofs.documented_commands import those_that_run
from lab.tests.engine.program.account_snapshot import AccountSnapshot, sampled, take_snapshot
from lab.tests.engine.program.node_health import NodeReports, ServerHealth
from lab.tests.engine.program.outcome import outcome, succeeded
from lab.tests.engine.program.sts_stub import sts_behind
from lab.tests.engine.program.workbench import STATE_ALWAYS, Workbench
from lab.tests.engine.throwaway import CommandResult
from lab.workspace import STACK
from tests.unit.ssh_keygen import ed25519

SMALLER_API = {
    "aws:region": "eu-central-1",
    "ha-kubernetes:etcd": {"size": 3},
    "ha-kubernetes:api": {"size": 2},
    "ha-kubernetes:network": {"nat": "single"},
    "ha-kubernetes:protect": False,
}

EVERYTHING = {
    "aws:region": "eu-central-1",
    "ha-kubernetes:etcd": {"size": 1},
    "ha-kubernetes:api": {"size": 1, "internal": False, "allowedCidrs": ["192.0.2.0/24"]},
    "ha-kubernetes:network": {
        "nat": "perZone",
        "flowLogDays": 1,
        "workerCidrs": ["192.0.2.128/28"],
    },
    "ha-kubernetes:workers": {"general": {"min": 1, "max": 2}},
    "ha-kubernetes:operatorAccess": "instance-connect",
    "ha-kubernetes:operatorKeys": [ed25519()],
    "ha-kubernetes:protect": False,
}
"""The smallest tiers, and what is optional."""

CHANGED = {
    "ha-kubernetes:etcd": {
        "size": 3,
        "dataVolume": {"sizeGib": 40, "iops": 4000},
        "instanceType": "m6i.xlarge",
        "snapshots": {"keepDays": 10, "everyMinutes": 30},
    },
    "ha-kubernetes:api": {"size": 2, "allowedCidrs": ["10.0.0.0/8"]},
    "ha-kubernetes:network": {"nat": "perZone", "flowLogDays": 3},
    "ha-kubernetes:workers": {"general": {"min": 1, "max": 3, "diskGib": 40}},
    "ha-kubernetes:pki": {"epoch": 2},
    "ha-kubernetes:tags": {"team": "platform"},
}
"""Sizes, tags, disks, rules: what changes in place, and what is replaced."""

PRIVATE = {
    "ha-kubernetes:network": {"nat": "none"},
    "ha-kubernetes:workers": {},
    "ha-kubernetes:ami": "ami-0d13a0000000a0910",
    "ha-kubernetes:artifacts": {"mirror": "https://mirror.example/k8s"},
    "ha-kubernetes:operatorAccess": "none",
    "ha-kubernetes:operatorKeys": [],
    "ha-kubernetes:tags": {},
}
"""No way out of the network, and endpoints instead. Workers would need images of their own."""

ANOTHER_BASE = {
    "network.cidr": "10.1.0.0/16",
    "network.serviceCidr": "10.97.0.0/16",
    "network.zones": ["eu-central-1a", "eu-central-1b"],
    "network.acceptTwoZones": True,
    "api.internal": False,
    "api.allowedCidrs": ["203.0.113.0/24"],
    "etcd.dataVolume": {"sizeGib": 10},
}
"""What a living cluster stands on, changed."""

SMALLEST = {
    **SMALLER_API,
    "ha-kubernetes:etcd": {"size": 1},
    "ha-kubernetes:api": {"size": 1},
}
"""With one resource of every type at least."""

INSTANCE = "aws:ec2/instance:Instance"

SHORTEST_WAIT = "45s"
"""Lower bound of gateTimeout."""

SOME_TYPES = (
    INSTANCE,
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/vpc:Vpc",
    "aws:iam/role:Role",
    "aws:ssm/parameter:Parameter",
)
"""Found by tags, by name, recorded and deleted; one kill for each step of the way."""


def resizing(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Interrupted twice on its way up, then grown, shrunk again, and every leaf reissued, by the
    commands of the documentation."""

    def kill(lab: int) -> None:
        # The load balancer takes a minute, so the update is cut off in the middle of an operation.
        bench.await_step("LoadBalancer", "local-api")
        bench.await_pending("local-api")
        update = ProcessIdentity.load(bench.workspace.update)
        assert update
        os.kill(lab, signal.SIGKILL)
        os.kill(update.pid, signal.SIGKILL)

    def interrupt(lab: int) -> None:
        # Not before: a request that is cut off in AWS's hands makes a machine that nobody records,
        # or a template under a name that nobody knows.
        bench.await_instance("local-api-0")
        bench.await_step("LaunchTemplate", "local-workers-general", ended=True)
        os.kill(lab, signal.SIGINT)

    yield "killed", bench.lab_up(meanwhile=kill, variables=STATE_ALWAYS)
    yield "interrupted", outcome(bench, bench.lab_up(meanwhile=interrupt))
    yield "up", succeeded(bench, bench.lab_up())
    yield "again", succeeded(bench, bench.update("up", "--refresh", "--expect-no-changes"))
    yield "looked", _follow(bench)
    yield "grown", succeeded(bench, _follow(bench, "grows"))
    yield "shrunk", succeeded(bench, _follow(bench, "shrinks"))
    bench.set("pki.epoch", 2)
    yield "previewed", bench.pulumi("preview", "--diff")
    yield "reissued", succeeded(bench, _follow(bench, "reissues"))
    yield "shown", bench.pulumi("stack", "export", "--show-secrets")
    yield "protected", _follow(bench, "protects")
    yield "followed", tuple(bench.followed)


def _follow(bench: Workbench, moment: str = "") -> CommandResult:
    """What tutorial and runbooks say at a moment of a cluster's life: what the first block of them
    came to. The others find it done."""
    first, *others = [bench.follow(block) for block in those_that_run("up", moment=moment)]
    for other in others:
        assert (other.status, other.steps) == (0, ()), other.text
    return first


def replacing(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Every machine replaced, then protected, which refuses a lot, and in the end destroyed."""
    bench.configure(SMALLER_API)
    bench.prepare()
    yield "up", succeeded(bench, bench.update("up"))
    bench.set("etcd.instanceType", "m6i.xlarge")
    bench.set("api.instanceType", "m6i.xlarge")
    with sampled(bench.clients) as samples:
        replaced = bench.update("up")
    yield "replaced", succeeded(bench, replaced, samples)
    bench.set("protect", value=True)
    with sts_behind(hours=1) as endpoint:
        # Also that a clock which is wrong stops nothing that issues no certificate.
        protected = bench.update("up", AWS_ENDPOINT_URL_STS=endpoint)
        yield "protected", succeeded(bench, protected)
        yield (
            "preview with a wrong clock",
            bench.preview({"pki.epoch": 2}, AWS_ENDPOINT_URL_STS=endpoint),
        )
    yield "preview of another base", bench.preview(ANOTHER_BASE)
    yield "preview of another name", bench.preview({"clusterName": "other"})
    disk = "::aws:ebs/volume:Volume::local-etcd-1-data"
    (urn,) = (r["urn"] for r in bench.state() if disk in r["urn"].replace("$", "::"))
    yield "preview of another disk", bench.preview({}, "--target-replace", urn)
    yield "destroy", outcome(bench, bench.update("destroy"))
    program = ("--yes", "--stack", STACK, "--run-program")
    yield "destroy with preview", outcome(bench, bench.pulumi("destroy", *program))
    yield "destroy without preview", outcome(bench, bench.update("destroy", "--run-program"))
    bench.set("protect", value=False)
    yield "unprotected", succeeded(bench, bench.update("up"))
    yield "destroyed", succeeded(bench, bench.update("destroy"))


def permitting(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Everything that a stack can have, then everything changed: what it asks of AWS."""
    bench.configure(EVERYTHING)
    bench.prepare()
    yield "up", succeeded(bench, bench.update("up"))
    asked = bench.asked()
    bench.forget()
    yield "previewed", bench.preview()
    yield "asked by preview", bench.asked()
    bench.configure({**EVERYTHING, **CHANGED})
    yield "changed", succeeded(bench, bench.update("up"))
    yield "volumes", bench.aws("ec2").describe_volumes()["Volumes"]
    yield "balancers", bench.aws("elbv2").describe_load_balancers()["LoadBalancers"]
    yield "target groups", bench.aws("elbv2").describe_target_groups()["TargetGroups"]
    bench.configure({**EVERYTHING, **CHANGED, **PRIVATE})
    yield "private", succeeded(bench, bench.update("up", "--refresh"))
    yield "destroyed", succeeded(bench, bench.update("destroy"))
    yield "asked", asked | bench.asked()


def guarding(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """A protected cluster: replaced, grown to 7 and shrunk to 3, whatever its nodes say."""
    bench.configure(
        {**SMALLER_API, "ha-kubernetes:protect": True, "ha-kubernetes:gateTimeout": "1h"}
    )
    bench.prepare()
    yield "up", succeeded(bench, bench.update("up"))
    with NodeReports(bench) as reports:
        reports.silent = {"etcd-2"}
        bench.set("etcd.instanceType", "m6i.xlarge")

        def interrupt(log: Path) -> None:
            bench.await_line(log, "local-etcd-0 waits: etcd-2 has not reported")
            bench.interrupt()

        yield "interrupted", outcome(bench, bench.update("up", meanwhile=interrupt))
        bench.set("gateTimeout", SHORTEST_WAIT)
        yield "refused", outcome(bench, bench.update("up"))
        reports.silent, reports.unhealthy = set(), {"etcd-1"}
        bench.set("gateTimeout", "10m")
        bench.set("api.shutdownDelay", "140s")
        servers = ServerHealth(bench)
        servers.judge_all_unhealthy()

        def heal(log: Path) -> None:
            bench.await_line(log, "local-etcd-0 waits: etcd-1 is not healthy")
            reports.unhealthy = set()
            bench.await_line(log, "0 of the other API servers are healthy, 1 must be")
            servers.judge_draining()
            bench.await_line(log, "is not drained yet (draining)")
            servers.judge_drained()

        with sampled(bench.clients) as samples:
            resumed = bench.update("up", meanwhile=heal)
        yield "resumed", succeeded(bench, resumed, samples)
        bench.set("etcd.size", 7)
        yield "grown", succeeded(bench, bench.update("up"))
        reports.staying = {"etcd-6"}
        bench.set("etcd.size", 3)
        bench.set("gateTimeout", SHORTEST_WAIT)
        yield "stuck", outcome(bench, bench.update("up"))
        reports.staying = set()
        bench.set("gateTimeout", "10m")
        yield "shrunk", succeeded(bench, bench.update("up"))
        yield "reports", reports


SCENARIOS = (guarding, replacing, permitting, resizing)
"""Those of every run, the longest first."""


@dataclass(frozen=True)
class Kill:
    """An update that was killed, and its recovery."""

    killed: CommandResult
    exists: frozenset[str]
    """URNs of resources that AWS had made and the engine had not recorded."""
    absent: frozenset[str]
    """URNs of resources that AWS had not been asked for."""
    recovered: CommandResult
    account: AccountSnapshot
    """What was there between kill and recovery."""


def _kill(
    bench: Workbench, types: set[str], before: Callable[[frozenset[str]], None] | None = None
) -> Kill | None:
    """Kill an update once it does nothing more but hold these types; None if it holds nothing."""
    bench.hold(*types)
    killed = bench.kill_held()
    exists, absent = (frozenset(bench.held_urns(moment)) for moment in ("exists", "absent"))
    if not exists:
        assert killed.status == 0, killed.text
        return None
    _let_out(bench, exists)
    if before:
        before(exists)
    account = take_snapshot(bench.server)
    return Kill(killed, exists, absent, bench.recover("--yes", "--patience", "0"), account)


def _let_out(bench: Workbench, urns: frozenset[str]) -> None:
    """Give new security groups the rule that they have in EC2 until the provider's second call."""
    for urn in urns:
        if urn.split("::")[-2].endswith("aws:ec2/securityGroup:SecurityGroup"):
            name = [{"Name": "tag:Name", "Values": [urn.rpartition("::")[2]]}]
            ec2 = bench.aws("ec2")
            (group,) = ec2.describe_security_groups(Filters=name)["SecurityGroups"]
            everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            ec2.authorize_security_group_egress(GroupId=group["GroupId"], IpPermissions=everything)


def _killed_at(
    bench: Workbench,
    types: set[str],
    before: Callable[[frozenset[str]], None] | None = None,
) -> Iterator[tuple[str, Any]]:
    """Killed at every one of these types, recovered each time, and in the end up; `before` comes
    between a kill and its recovery."""
    kills: list[Kill] = []
    left = set(types)
    while (kill := _kill(bench, left, before)) is not None:
        kills.append(kill)
        left -= {urn.split("::")[-2].rpartition("$")[2] for urn in kill.exists}
        assert kill.recovered.status == 0, kill.recovered.text
    yield "kills", kills
    yield "up", succeeded(bench, bench.update("up"))
    again = ("preview", "--refresh", "--expect-no-changes", "--diff")
    yield "refreshed", outcome(bench, bench.pulumi(*again))


def _forget(
    bench: Workbench, exists: frozenset[str]
) -> Iterator[tuple[CommandResult, str, list[dict[str, Any]]]]:
    """Result of Pulumi's own command for a VPC that was being created: its answer, the VPC's URN,
    and the state, which is put back afterwards."""
    urn = next((urn for urn in exists if urn.split("::")[-2].endswith("aws:ec2/vpc:Vpc")), None)
    if urn is None:
        return
    (vpc,) = bench.inventory()["VPC"]
    before = bench.checkpoint.read_bytes()
    bench.pulumi("cancel", "--yes", "--stack", STACK)
    flag = "--import-pending-creates"
    done = bench.update("refresh", flag, urn, flag, vpc)
    state = bench.state()
    bench.checkpoint.write_bytes(before)
    yield done, urn, state


def resuming(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Killed on its way up at some types, and again while its machines are replaced."""
    bench.configure(SMALLEST)
    bench.prepare_holding()
    forgotten: list[Any] = []
    first = partial(_forget, bench)
    yield from _killed_at(bench, set(SOME_TYPES), lambda urns: forgotten.extend(first(urns)))
    (done,) = forgotten
    yield "forgotten", done
    bench.set("etcd.instanceType", "m6i.xlarge")
    yield "replacement", _kill(bench, {INSTANCE})
    bench.set("api.instanceType", "m6i.xlarge")
    yield "succession", _kill(bench, {INSTANCE})
    bench.hold()
    yield "replaced", succeeded(bench, bench.update("up"))
    yield "destroyed", succeeded(bench, bench.update("destroy"))


def resuming_everywhere(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Killed on its way up at every type of the program."""
    bench.configure(SMALLEST)
    bench.prepare_holding()
    yield from _killed_at(bench, set(RESOURCES))
    yield "destroyed", succeeded(bench, bench.update("destroy"))
