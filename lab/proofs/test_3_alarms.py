"""Proof 3: the loss of one member is heard of, while the others go on as if nothing was wrong."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lab.proofs.figures import Figures
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.proofs.sent_metrics import greatest
from lab.proofs.victims import etcd_follower
from lab.running import fault_injection
from node.contract import Metric

SOON = 120.0
"""Seconds in which the leader tells: nodes report every 30 s. The alarm waits 5 minutes more."""
REPORTED = timedelta(seconds=90)
"""In which every node has reported."""


@pytest.fixture(autouse=True)
def whole(session: LabSession) -> Iterator[None]:
    """The proof begins with a cluster that is whole, and leaves one."""
    until("the cluster is ready", session.ready)
    yield
    fault_injection.heal(session.lab)
    until("the cluster is whole again", session.ready)


def test_the_leader_tells_cloudwatch_that_a_member_is_missing(
    session: LabSession, figures: Figures
) -> None:
    until("no member is missing", lambda: _missing(session, _ago()) == 0.0, 2 * SOON)
    victim = etcd_follower(session)
    began, moment = time.monotonic(), datetime.now(UTC)
    fault_injection.power_cut(session.lab, victim)
    until("it is told", lambda: (_missing(session, moment) or 0) > 0, SOON)
    figures.add("alarms", "a member loses power: told after", time.monotonic() - began)
    assert _missing(session, moment) == 1


def _ago() -> datetime:
    return datetime.now(UTC) - REPORTED


def _missing(session: LabSession, since: datetime) -> float | None:
    return greatest(session, Metric.MISSING_MEMBERS, since)
