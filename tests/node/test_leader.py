"""The leading node's part: what it reads, in which order, and what becomes of a refusal."""

import pytest

from node.errors import AwsError, NodeError
from node.etcd import leader, local_member, member_status, peers
from node.etcd.member_status import Report
from node.etcd.members import Entry
from node.membership import Member

NODES = tuple(Member(f"etcd-{n}", f"10.0.224.{4 + n}") for n in range(3))
VOTERS = tuple(
    Entry(f"{n}a", f"etcd-{n}", f"10.0.224.{4 + n}", voter=True, started=True) for n in range(3)
)


class Etcd:
    """The local etcd and Parameter Store, as far as the leading node asks them."""

    leads: "str | None" = "0a"
    entries: "tuple[Entry, ...] | None" = VOTERS
    connected = frozenset({"0a", "1a", "2a"})
    slow: "tuple[Entry, ...] | None" = None
    """What the membership has become by the time that AWS answers."""
    away: "NodeError | None" = None
    refuses: "NodeError | None" = None
    answering: "frozenset[str] | None" = None
    """Members that answer as peers, unless they are those that etcd has a connection to."""

    def __init__(self) -> None:
        self.did = []

    def reports(self, *_):
        if self.away:
            raise self.away
        self.entries = self.slow or self.entries
        return {"etcd-2": Report("empty", "2a", fresh=True)}

    def remove(self, _settings, _mine, member):
        if self.refuses:
            raise self.refuses
        self.did.append(member)

    def transfer(self, _settings, _mine, member):
        self.did.append(f"leadership to {member}")


@pytest.fixture
def etcd(monkeypatch):
    etcd = Etcd()
    monkeypatch.setattr(local_member, "leading", lambda *_: etcd.leads)
    monkeypatch.setattr(local_member, "membership", lambda *_: etcd.entries)
    monkeypatch.setattr(local_member, "connected", lambda _: etcd.connected)
    monkeypatch.setattr(local_member, "remove", etcd.remove)
    monkeypatch.setattr(local_member, "transfer", etcd.transfer)
    monkeypatch.setattr(member_status, "reports", etcd.reports)

    def answering(_, asked):
        known = etcd.connected if etcd.answering is None else etcd.answering
        return known & {member.id for member in asked}

    monkeypatch.setattr(peers, "answering", answering)
    return etcd


@pytest.fixture
def step(node, aws, etcd):
    settings = node("etcd-0")
    return lambda desired=NODES: leader.step(settings, settings.etcd, desired)


def test_the_desired_membership_needs_no_change(step, etcd):
    assert step() is None
    assert etcd.did == []


def test_a_change_is_made_and_told(step, etcd):
    etcd.connected = frozenset({"1a"})
    assert step() == ("removed etcd-2: it lost its disk", True)
    assert etcd.did == ["2a"]


def test_a_member_that_etcd_misjudges_is_to_make_the_change(step, etcd):
    etcd.connected = frozenset()
    pause = "etcd-2 is gone, but removing it now would break the quorum"
    assert step() == (pause, True)
    etcd.answering = frozenset({"1a"})
    assert step() == ("handed leadership to etcd-1", True)
    assert etcd.did == ["leadership to 1a"]


def test_a_member_that_fell_silent_counts_for_nothing_although_etcd_still_connects_to_it(
    step, etcd
):
    """Removing the one that answers would leave a quorum of two to one that is alive."""
    etcd.answering = frozenset({"2a"})
    assert step(NODES[:1]) == ("removed etcd-1: it is not wanted any more", True)


def test_a_member_that_etcd_calls_connected_for_ever_is_removed(step, etcd):
    etcd.answering = frozenset({"1a"})
    assert step() == ("removed etcd-2: it lost its disk", True)


def test_who_does_not_lead_changes_nothing(step, etcd):
    etcd.leads, etcd.connected = None, frozenset({"1a"})
    assert step() is None
    assert etcd.did == []


def test_without_reports_nothing_is_changed(step, etcd):
    etcd.away = AwsError("AWS: away")
    assert step(NODES[:2]) == ("the membership stays as it is: AWS: away", False)
    assert etcd.did == []


def test_the_membership_that_counts_is_the_one_after_a_slow_aws_has_answered(step, etcd):
    etcd.connected, etcd.slow = frozenset({"1a"}), VOTERS[:2]
    assert step(NODES[:2]) is None
    etcd.slow, etcd.entries = None, None
    assert step(NODES[:2]) is None
    assert etcd.did == []


def test_a_refusal_is_no_fault(step, etcd):
    etcd.connected, etcd.refuses = frozenset({"1a"}), NodeError("etcdctl failed: unhealthy cluster")
    assert step() == ("etcd refuses for now: etcdctl failed: unhealthy cluster", True)


def test_metrics_that_do_not_answer_are_no_fault(step, monkeypatch):
    def silent(_):
        raise NodeError("no answer")

    monkeypatch.setattr(local_member, "connected", silent)
    assert step(NODES[:2]) == ("etcd refuses for now: no answer", True)
