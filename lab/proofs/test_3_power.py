"""Proof 3: every machine loses its power at once, under a client that writes, and gets it back."""

import time
from collections.abc import Iterator

import pytest

from lab.proofs.configmap_writer import Writer
from lab.proofs.etcdctl import cluster_id
from lab.proofs.figures import Figures
from lab.proofs.joined_workers import settled
from lab.proofs.kubernetes_api import api, namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.running import fault_injection
from lab.running.timeline import span

NAMESPACE = "proof-power"
WRITES = 10
"""Acknowledged before the power goes."""


@pytest.fixture
def own_namespace(session: LabSession) -> Iterator[str]:
    """A namespace of this proof; at the end everybody has power, whatever happened."""
    with namespace(session.kubectl, NAMESPACE) as name:
        yield name
        fault_injection.heal(session.lab)


def test_after_a_power_failure_of_all_machines_no_acknowledged_write_is_lost(
    session: LabSession, figures: Figures, own_namespace: str
) -> None:
    first = session.nodes("etcd")[0]
    cluster, members = cluster_id(session, first), session.members()
    with Writer(api(session.kubectl), own_namespace, "before") as writer:
        until("writes are acknowledged", lambda: writer.acknowledged >= WRITES)
        for node in session.lab.nodes().values():
            fault_injection.power_cut(session.lab, node)
    machines = map(session.lab.machine, session.lab.nodes().values())
    assert [machine.instance for machine in machines if machine.init()] == []

    began = time.monotonic()
    fault_injection.heal(session.lab)
    snapshots = until("the cluster is back", session.ready)
    figures.add("power", "power back to ready behind the load balancer", time.monotonic() - began)
    figures.add("power", "first boot to last machine serving", span(snapshots) or 0)
    if settled(session):
        figures.add("power", "power back to every worker ready", time.monotonic() - began)

    assert writer.kept() >= writer.acknowledged
    assert cluster_id(session, first) == cluster
    assert session.members() == members
    with Writer(api(session.kubectl), own_namespace, "after") as goes_on:
        until("writes are acknowledged again", lambda: goes_on.acknowledged >= WRITES)
