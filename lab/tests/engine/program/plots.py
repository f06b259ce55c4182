"""What the stories tell: the life of two clusters."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lab.engine.aws.tokens import RESOURCES
from lab.processes import ProcessIdentity
from lab.tests.engine.program.player import Player
from lab.tests.engine.program.story import Chapter, chapter
from lab.tests.engine.program.workbench import Finished, Workbench
from lab.tests.engine.program.world import World, observe, targets, watched
from lab.workspace import STACK
from tests.unit.public_keys import ed25519

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
    "ha-kubernetes:pki": {"epoch": 2},
    "ha-kubernetes:tags": {"team": "platform"},
}
"""Sizes, tags, disks, rules: what changes in place, and what is replaced."""

PRIVATE = {
    "ha-kubernetes:network": {"nat": "none"},
    "ha-kubernetes:ami": "ami-0d13a0000000a0910",
    "ha-kubernetes:artifacts": {"mirror": "https://mirror.example/k8s"},
    "ha-kubernetes:operatorAccess": "none",
    "ha-kubernetes:operatorKeys": [],
    "ha-kubernetes:tags": {},
}
"""No way out of the network, and endpoints instead."""

SMALLEST = {
    **SMALLER_API,
    "ha-kubernetes:etcd": {"size": 1},
    "ha-kubernetes:api": {"size": 1},
}
"""With one resource of every type at least."""

INSTANCE = "aws:ec2/instance:Instance"

SOME_TYPES = (
    INSTANCE,
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/vpc:Vpc",
    "aws:iam/role:Role",
    "aws:ssm/parameter:Parameter",
)
"""Found by tags, by name, recorded and deleted; one kill for each step of the way."""


def _ok(told: Chapter) -> Chapter:
    assert told.status == 0, told.text
    return told


def resizing(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Interrupted twice on its way up, then grown, shrunk again, and every leaf reissued."""

    def kill(lab: int) -> None:
        # The balancer takes a minute, so the update is cut off in the middle of an operation.
        bench.await_step("LoadBalancer", "local-api", lab)
        bench.await_pending("local-api")
        update = ProcessIdentity.load(bench.workspace.update)
        assert update
        os.kill(lab, signal.SIGKILL)
        os.kill(update.pid, signal.SIGKILL)

    def interrupt(lab: int) -> None:
        bench.await_step("Instance", "local-api-0", lab)
        os.kill(lab, signal.SIGINT)

    yield "killed", bench.lab_up(meanwhile=kill)
    yield "interrupted", chapter(bench, bench.lab_up(meanwhile=interrupt))
    yield "up", _ok(chapter(bench, bench.lab_up()))
    yield "again", _ok(chapter(bench, bench.update("up")))
    yield "refreshed", chapter(bench, bench.pulumi("preview", "--refresh", "--expect-no-changes"))
    bench.set("etcd.size", "5")
    yield "grown", _ok(chapter(bench, bench.update("up")))
    bench.set("etcd.size", "3")
    yield "shrunk", _ok(chapter(bench, bench.update("up")))
    bench.set("pki.epoch", "2")
    yield "previewed", bench.pulumi("preview", "--diff")
    yield "reissued", _ok(chapter(bench, bench.update("up")))
    yield "shown", bench.pulumi("stack", "export", "--show-secrets")


def replacing(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Every machine replaced, then protected, and in the end destroyed."""
    bench.configure(SMALLER_API)
    yield "up", _ok(chapter(bench, bench.lab_up()))
    bench.set("etcd.instanceType", "m6i.xlarge")
    bench.set("api.instanceType", "m6i.xlarge")
    with watched(bench.clients) as samples:
        replaced = bench.update("up")
    yield "replaced", _ok(chapter(bench, replaced, samples))
    bench.set("protect", "true")
    yield "protected", _ok(chapter(bench, bench.update("up")))
    yield "refused", chapter(bench, bench.update("destroy"))
    bench.set("protect", "false")
    yield "unprotected", _ok(chapter(bench, bench.update("up")))
    yield "destroyed", _ok(chapter(bench, bench.update("destroy")))


def permitting(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Everything that a stack can have, then everything changed: what it asks of AWS."""
    bench.configure(EVERYTHING)
    yield "up", _ok(chapter(bench, bench.lab_up()))
    asked = bench.asked()
    bench.forget()
    yield "previewed", bench.pulumi("preview")
    yield "asked by preview", bench.asked()
    bench.configure({**EVERYTHING, **CHANGED})
    yield "changed", _ok(chapter(bench, bench.update("up")))
    yield "volumes", bench.aws("ec2").describe_volumes()["Volumes"]
    bench.configure({**EVERYTHING, **CHANGED, **PRIVATE})
    yield "private", _ok(chapter(bench, bench.update("up", "--refresh")))
    yield "destroyed", _ok(chapter(bench, bench.update("destroy")))
    yield "asked", asked | bench.asked()


def guarding(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """A protected cluster: replaced, grown to 7 and shrunk to 3, whatever its members say."""
    bench.configure(
        {**SMALLER_API, "ha-kubernetes:protect": True, "ha-kubernetes:gateTimeout": "1h"}
    )
    yield "up", _ok(chapter(bench, bench.lab_up()))
    with Player(bench) as player:
        player.silent = {"etcd-2"}
        bench.set("etcd.instanceType", "m6i.xlarge")

        def interrupt(log: Path) -> None:
            bench.await_line(log, "local-etcd-0 waits: etcd-2 has not reported")
            bench.interrupt()

        yield "interrupted", chapter(bench, bench.update("up", meanwhile=interrupt))
        bench.set("gateTimeout", "45s")
        yield "refused", chapter(bench, bench.update("up"))
        player.silent, player.sick = set(), {"etcd-1"}
        bench.set("gateTimeout", "10m")

        def heal(log: Path) -> None:
            bench.await_line(log, "local-etcd-0 waits: etcd-1 is not healthy")
            player.sick = set()

        yield "resumed", _ok(chapter(bench, bench.update("up", meanwhile=heal)))
        bench.set("etcd.size", "7")
        yield "grown", _ok(chapter(bench, bench.update("up")))
        player.staying = {"etcd-6"}
        bench.set("etcd.size", "3")
        bench.set("gateTimeout", "45s")
        yield "stuck", chapter(bench, bench.update("up"))
        player.staying = set()
        bench.set("gateTimeout", "10m")
        yield "shrunk", _ok(chapter(bench, bench.update("up")))
        yield "played", player


def balancing(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """A protected cluster whose API servers are replaced, and which nobody may destroy."""
    bench.configure(
        {**SMALLER_API, "ha-kubernetes:protect": True, "ha-kubernetes:gateTimeout": "10m"}
    )
    yield "up", _ok(chapter(bench, bench.lab_up()))
    before = targets(bench.clients)
    # Also of those that are yet to come: a subnet gives its addresses in their order.
    networks = {address.rpartition(".")[0] for address in before}
    addresses = [f"{network}.{host}" for network in networks for host in range(4, 20)]
    for address in addresses:
        bench.judge("POST", target=address, state="unhealthy")

    def recover(log: Path) -> None:
        bench.await_line(log, "0 of the other API servers are healthy, 1 must be")
        for address in before:
            bench.judge("POST", target=address, state="draining")
        for address in set(addresses) - before:
            bench.judge("DELETE", target=address)
        bench.await_line(log, "is not drained yet (draining)")
        for address in before:
            bench.judge("DELETE", target=address)

    bench.set("api.shutdownDelay", "140s")
    with watched(bench.clients) as samples:
        done = bench.update("up", meanwhile=recover)
    yield "replaced", _ok(chapter(bench, done, samples))
    disk = "::aws:ebs/volume:Volume::local-etcd-1-data"
    (urn,) = (r["urn"] for r in bench.state() if disk in r["urn"].replace("$", "::"))
    yield "another disk", chapter(bench, bench.pulumi("preview", "--target-replace", urn))
    program = ("--yes", "--stack", STACK, "--run-program")
    yield "with preview", chapter(bench, bench.pulumi("destroy", *program))
    yield "without preview", chapter(bench, bench.update("destroy", "--run-program"))


@dataclass(frozen=True)
class Kill:
    """An update that was killed, and its recovery."""

    killed: Finished
    exists: frozenset[str]
    """URNs of resources that AWS had made and the engine had not recorded."""
    absent: frozenset[str]
    """URNs of resources that AWS had not been asked for."""
    recovered: Finished
    world: World
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
    world = observe(bench.clients)
    return Kill(killed, exists, absent, bench.recover("--yes", "--patience", "0"), world)


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
    yield "up", _ok(chapter(bench, bench.update("up")))
    again = ("preview", "--refresh", "--expect-no-changes", "--diff")
    yield "refreshed", chapter(bench, bench.pulumi(*again))


def _forget(
    bench: Workbench, exists: frozenset[str]
) -> Iterator[tuple[Finished, str, list[dict[str, Any]]]]:
    """What Pulumi's own command makes of a VPC that was being created: its answer, the VPC's URN,
    and the state. The state is put back then."""
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
    bench.prepare()
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
    yield "replaced", _ok(chapter(bench, bench.update("up")))
    yield "destroyed", _ok(chapter(bench, bench.update("destroy")))


def resuming_everywhere(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Killed on its way up at every type of the program."""
    bench.configure(SMALLEST)
    bench.prepare()
    yield from _killed_at(bench, set(RESOURCES))
    yield "destroyed", _ok(chapter(bench, bench.update("destroy")))
