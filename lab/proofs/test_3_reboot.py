"""Proof 3: every machine reboots at once while the AWS API is unreachable."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.proofs.etcdctl import cluster_id
from lab.proofs.figures import Figures
from lab.proofs.joined_workers import machines, settled
from lab.proofs.kubernetes_api import api, namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.proofs.port_probe import reaches_aws
from lab.running import fault_injection
from lab.running.node_snapshot import NodeSnapshot
from lab.running.timeline import phases, span

NAMESPACE = "proof-reboot"


@dataclass(frozen=True)
class Rebooted:
    """What was before, and after."""

    boots: tuple[dict[str, str], dict[str, str]]
    """The id of each machine's boot, by name."""
    cluster: tuple[int, int]
    """The etcd cluster's id."""
    members: tuple[dict[str, int], dict[str, int]]
    """The members' ids by name."""
    snapshots: list[NodeSnapshot]
    workers: int
    """That were ready again, still without AWS."""
    unreachable: dict[str, bool]
    """Whether a machine reached AWS, by name, once the cluster was back."""


@pytest.fixture(scope="module")
def unreachable(session: LabSession) -> Iterator[None]:
    """No machine reaches an AWS API."""
    fault_injection.partition(session.lab, "aws")
    yield
    fault_injection.heal(session.lab)


@pytest.fixture(scope="module")
def own_namespace(session: LabSession) -> Iterator[None]:
    """Made before the reboot, and looked for after it."""
    with namespace(session.kubectl, NAMESPACE):
        yield


@pytest.fixture(scope="module")
def rebooted(
    session: LabSession,
    figures: Figures,
    takes_long: None,
    own_namespace: None,
    unreachable: None,
) -> Rebooted:
    """All machines, at once."""
    first = session.nodes("etcd")[0]
    before, cluster, members = _boots(session), cluster_id(session, first), session.members()
    began = time.monotonic()
    ids = [node.instance.id for node in session.lab.nodes().values()]
    session.lab.aws("ec2").reboot_instances(InstanceIds=ids)
    until("every machine is down", lambda: _fresh(session, before))
    down = time.monotonic()
    snapshots = until("the cluster is back", session.ready)
    figures.add("reboot", "ordered to every machine booting", down - began)
    figures.add("reboot", "ordered to ready behind the load balancer", time.monotonic() - began)
    figures.add("reboot", "first boot to last machine serving", span(snapshots) or 0)
    workers = settled(session)
    if workers:
        figures.add("reboot", "ordered to every worker ready", time.monotonic() - began)
    for tier in ("etcd", "api"):
        found = [
            phases(snapshot)["ready"]
            for snapshot in snapshots
            if snapshot.node.name.startswith(tier)
        ]
        figures.add("reboot", f"{tier} machine, systemd to ready, slowest", max(found))
    return Rebooted(
        boots=(before, _boots(session)),
        cluster=(cluster, cluster_id(session, first)),
        members=(members, session.members()),
        snapshots=snapshots,
        workers=len(workers),
        unreachable={
            node.name: reaches_aws(session.namespace(node)) for node in session.lab.nodes().values()
        },
    )


def _boots(session: LabSession) -> dict[str, str]:
    """The identity of each machine's first process: this computer's boot id is everybody's."""
    return {
        name: Path(f"/proc/{init}/stat").read_text(encoding="utf-8").split()[21]
        for name, node in session.lab.nodes().items()
        if (init := session.lab.machine(node).init()) is not None
    }


def _fresh(session: LabSession, before: dict[str, str]) -> bool:
    now = _boots(session)
    return set(now) == set(before) and all(now[name] != before[name] for name in now)


def test_no_machine_reached_aws_meanwhile(rebooted: Rebooted) -> None:
    assert set(rebooted.unreachable.values()) == {False}


def test_every_machine_booted_anew(rebooted: Rebooted) -> None:
    before, after = rebooted.boots
    assert set(before) == set(after)
    assert [name for name in before if before[name] == after[name]] == []


def test_the_cluster_comes_back_from_disk_as_the_one_that_it_was(rebooted: Rebooted) -> None:
    assert rebooted.cluster[0] == rebooted.cluster[1]
    assert rebooted.members[0] == rebooted.members[1]
    assert len(rebooted.members[0]) > 0


def test_every_worker_is_ready_again_by_itself(session: LabSession, rebooted: Rebooted) -> None:
    if not machines(session):
        pytest.skip("the stack has no workers")
    assert rebooted.workers == len(machines(session))


def test_what_was_written_before_is_there_and_writing_goes_on(
    session: LabSession, rebooted: Rebooted
) -> None:
    assert rebooted.snapshots
    path = "/api/v1/namespaces"
    through = api(session.kubectl)
    assert through.ask(f"{path}/{NAMESPACE}").status == 200
    document = {"metadata": {"name": f"{NAMESPACE}-after"}}
    assert through.ask(path, method="POST", document=document).status == 201
    for name in (NAMESPACE, f"{NAMESPACE}-after"):
        assert through.ask(f"{path}/{name}", method="DELETE").status == 200
