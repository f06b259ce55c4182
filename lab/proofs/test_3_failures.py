"""Proof 3: under a load of many clients a daemon, a machine or a zone fails; the rest goes on."""

import time
from collections.abc import Mapping, Sequence

import pytest

from lab.proofs import journal_events
from lab.proofs.faults_under_load import FAULTS, FaultUnderLoad, measures, unexcused
from lab.proofs.kubernetes_api import api
from lab.proofs.lab_session import LabSession
from lab.proofs.load.api_load import ApiLoad
from lab.proofs.load.fault_record import Fault, FaultRecord, Measure, recorded
from lab.proofs.load.history import WRITES, of_clients
from lab.proofs.load.summary import ALL
from lab.proofs.load_session import AROUND, under_load
from lab.proofs.polling import until
from lab.proofs.victims import etcd_follower, etcd_leader
from lab.running import fault_injection

pytestmark = pytest.mark.usefixtures("whole")

AWAY, AWAY_SHORT = 30.0, 14.0
"""Seconds that something is away: the load balancer takes 10 to notice."""
FAR_OFF = 4
"""Times its goal, and as many seconds more, that a measure may be on a busy machine."""


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.fault.name)
def test_requests_go_on(
    request: pytest.FixtureRequest,
    session: LabSession,
    fault_records: list[FaultRecord],
    case: FaultUnderLoad,
    *,
    every_failure: bool,
) -> None:
    if not case.short:
        request.getfixturevalue("takes_long")
    with under_load(session, case.fault.name) as load:
        node = case.choose(session)
        process = session.process(node, case.restarts) if case.restarts else 0
        began = time.time()
        case.inflict(session, node)
        there = time.time()
        if case.restarts:
            until("it runs again", lambda: session.process(node, case.restarts) not in {0, process})
            until("the cluster is whole again", session.ready)
            ended = time.time()
        else:
            time.sleep(AWAY if every_failure else AWAY_SHORT)
            ended = time.time()
            fault_injection.heal(session.lab)
            until("the cluster is whole again", session.ready)
    requests = of_clients(load.records)
    met = measures(requests, case.goals, there, ended)
    record = _recorded(session, case.fault, load, case.goals, met, began=began, ended=ended)
    fault_records.append(record)
    failed = unexcused(requests)
    assert not (case.fails_nothing and failed), failed[:3]
    for measure in record.measures:
        assert measure.seconds <= (measure.goal or 30) * FAR_OFF + FAR_OFF, measure


@pytest.mark.usefixtures("takes_long")
def test_without_a_quorum_nothing_is_acknowledged_and_no_api_server_restarts(
    session: LabSession, fault_records: list[FaultRecord]
) -> None:
    fault = Fault(
        name="etcd-quorum-lost",
        title="Two of three etcd machines lose their power",
        claim="Nothing is acknowledged, no API server restarts, and all goes on with the quorum.",
        limit="no quorum, no writes",
        elsewhere="the same; API servers that restart with etcd take longer to be back",
    )
    servers = session.nodes("api")
    before = [session.process(node, "kube-apiserver") for node in servers]
    with under_load(session, fault.name) as load:
        victims = (etcd_leader(session), etcd_follower(session))
        began = time.time()
        for node in victims:
            fault_injection.power_cut(session.lab, node)
        dark = time.time()
        time.sleep(AWAY)
        # With no healthy target at all the load balancer sends connections to each of them.
        alive = api(session.kubectl).ask("/livez?exclude=etcd")
        assert alive.status == 200, alive.body
        ended = time.time()
        fault_injection.heal(session.lab)
        until("the cluster is whole again", session.ready)
    fault_records.append(_recorded(session, fault, load, {}, [], began=began, ended=ended))
    written = [
        one
        for one in of_clients(load.records)
        if one.op in WRITES and one.ok and dark < one.start and one.end < ended
    ]
    assert written == []
    assert [session.process(node, "kube-apiserver") for node in servers] == before


def _recorded(
    session: LabSession,
    fault: Fault,
    load: ApiLoad,
    goals: Mapping[str, float],
    met: Sequence[Measure],
    *,
    began: float,
    ended: float,
) -> FaultRecord:
    return recorded(
        fault,
        load.records,
        load.verdict,
        goal=goals.get(ALL),
        measures=met,
        began=began,
        ended=ended,
        events=journal_events.events(session, began, AROUND),
    )
