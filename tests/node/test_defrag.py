"""Defragmentation of real databases, one member at a time under a client that writes."""

import itertools
import subprocess
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest

from node.errors import NodeError
from node.etcd import defrag_plan, defrag_run, local_member
from tests.node.daemons import wait_until
from tests.node.writer import Writer

SIZE = 3
QUOTA = 16 << 20


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Look once, and take small databases for large ones."""
    monkeypatch.setattr(defrag_run, "PATIENCE", 0)
    monkeypatch.setattr(defrag_run, "PAUSE", 0.2)
    monkeypatch.setattr(defrag_plan, "WORTH_SIZE", 4 << 20)


def form(tier, size, **flags):
    # etcd counts what a batch freed with the next one; with these few keys there would be one.
    tier.form(size, **{"compaction-batch-limit": 1, **flags})
    return list(tier.nodes.values())


@pytest.fixture
def sparse(etcd_tier):
    """A formed tier whose databases are mostly empty, and whose members have reported."""
    nodes = form(etcd_tier, SIZE)
    gateway = etcd_tier.gateway()
    for number in range(8):
        gateway.put("large", str(number) * 1_000_000)
    revision = nodes[0].etcdctl("endpoint", "status")[0]["Status"]["header"]["revision"]
    nodes[0].etcdctl("compact", "--physical", str(revision))
    wait_until(lambda: all(fragmented(node) for node in nodes), "the history is gone")
    for node in nodes:
        node.report()
    return etcd_tier


def status(node):
    return node.etcdctl("endpoint", "status")[0]["Status"]


def fragmented(node):
    return status(node)["dbSizeInUse"] < 0.4 * status(node)["dbSize"]


def leads(node):
    return local_member.leads(status(node))


def in_turn(tier):
    """Followers by name, then the leader."""
    return sorted(tier.nodes.values(), key=lambda node: (leads(node), node.name))


def test_every_database_shrinks_one_after_the_other_the_leader_last(sparse, monkeypatch):
    first, second, leader = in_turn(sparse)
    begun = []
    real = local_member.ctl

    def watched(settings, mine, *command, **options):
        if command[0] == "defrag":
            reports = [sparse.status(number) for number in range(SIZE)]
            # It has said so before, and it is the only one.
            assert [not r["healthy"] for r in reports].count(True) == 1
            assert sparse.status(int(settings.name[-1]))["healthy"] is False
            begun.append(settings.name)
        return real(settings, mine, *command, **options)

    monkeypatch.setattr(local_member, "ctl", watched)
    with Writer(sparse.gateway()) as writer:
        for node in (leader, second):
            with pytest.raises(NodeError, match=f"did not defragment: {first.name} comes first"):
                node.defrag()
        sizes = {node.name: status(node)["dbSize"] for node in (first, second, leader)}
        assert first.defrag().startswith("defragmented ")
        with pytest.raises(NodeError, match=f"did not defragment: {second.name} comes first"):
            leader.defrag()
        assert second.defrag().startswith("defragmented ")
        assert leader.defrag().startswith("defragmented ")
        _longest, failed = writer.take()
    assert begun == [first.name, second.name, leader.name]
    for node in (first, second, leader):
        assert status(node)["dbSize"] < 0.5 * sizes[node.name]
        reported = sparse.status(int(node.name[-1]))
        assert reported["healthy"] is True
        assert reported["dbSize"] == pytest.approx(status(node)["dbSize"], rel=0.1)
        assert node.defrag().startswith("nothing to win: ")
    assert begun == [first.name, second.name, leader.name]
    assert failed == 0
    assert writer.lost() == set()


def test_a_member_waits_for_its_turn_which_aws_alone_can_tell(sparse, monkeypatch, aws_down):
    first, second, leader = in_turn(sparse)
    monkeypatch.setattr(defrag_run, "PATIENCE", 60)
    looks = itertools.count()

    def pause(_seconds):
        if next(looks) == 1:
            first.defrag()
            second.enter()

    clock = SimpleNamespace(monotonic=time.monotonic, sleep=pause)
    monkeypatch.setattr(defrag_run, "time", clock)
    assert second.defrag().startswith("defragmented ")
    assert next(looks) == 2
    aws_down()
    monkeypatch.setattr(defrag_run, "PATIENCE", 0)
    with pytest.raises(NodeError, match=r"cannot read what the others report: AWS: "):
        leader.defrag()


def test_nobody_defragments_while_a_member_learns_is_down_or_silent(sparse, aws):
    first, second, leader = in_turn(sparse)
    address = sparse.member(SIZE)["address"]
    url = f"https://{address}:2380"

    def added():
        # etcd refuses until the members have been connected for five seconds.
        with suppress(subprocess.CalledProcessError):
            first.etcdctl("member", "add", "new", f"--peer-urls={url}", "--learner")
        return "learner" in sparse.listed().values()

    wait_until(added, "a learner")
    with pytest.raises(NodeError, match=rf"did not defragment: {address} is a learner"):
        first.defrag()
    first.etcdctl("member", "remove", sparse.ids()[url])

    second.machine.power_off()
    second.report()
    with pytest.raises(NodeError, match=f"did not defragment: {second.name} is not healthy"):
        first.defrag()
    aws.delete_parameter(Name=second.settings.parameters["status"])
    with pytest.raises(NodeError, match=f"did not defragment: {second.name} is silent"):
        first.defrag()
    leader.machine.power_off()
    with pytest.raises(NodeError, match=f"did not defragment: {first.name} reaches no leader"):
        first.defrag()


def test_a_member_alone_defragments_itself_unless_its_data_is_in_doubt(etcd_tier, monkeypatch):
    (node,) = form(etcd_tier, 1)
    gateway = etcd_tier.gateway()
    for number in range(8):
        gateway.put("large", str(number) * 1_000_000)
    node.etcdctl("compact", "--physical", str(status(node)["header"]["revision"]))
    with monkeypatch.context() as patch:
        facts = {**status(node), "errors": ["memberID:1 alarm:CORRUPT "]}
        patch.setattr(local_member, "facts", lambda *_: facts)
        with pytest.raises(NodeError, match="the CORRUPT alarm is on, and nothing rewrites"):
            node.defrag()
    assert node.defrag().startswith("defragmented ")
    assert not fragmented(node)


LARGE = 200_000
LESS_THAN_A_PAGE = 4_000


def fill(tier, keys, size=LARGE):
    """Write values of a size until etcd takes no more."""
    gateway = tier.gateway()

    def write():
        for key in keys:
            gateway.put(key, "x" * size)

    with pytest.raises(OSError, match="database space exceeded"):
        write()


def test_a_full_cluster_is_cured(etcd_tier):
    """History fills it, and API servers cannot compact: their compaction begins with a write."""
    form(etcd_tier, SIZE, **{"quota-backend-bytes": QUOTA})
    fill(etcd_tier, itertools.repeat("large"))
    for node in etcd_tier.nodes.values():
        node.report()
    first, second, leader = in_turn(etcd_tier)
    assert "alarm:NOSPACE" in status(leader)["errors"][0]

    said = first.defrag()
    assert said.startswith("dropped the history before revision ")
    assert "; defragmented " in said
    with pytest.raises(OSError, match="database space exceeded"):
        etcd_tier.gateway().put("still", "full")
    second.report()
    leader.report()
    assert "defragmented " in second.defrag()
    leader.report()
    said = leader.defrag()
    assert "defragmented " in said
    assert "; disarmed NOSPACE; nothing to win: " in said
    assert "errors" not in status(leader)
    etcd_tier.gateway().put("again", "1")
    assert etcd_tier.gateway().keys("again") == {"again": "1"}
    assert len(etcd_tier.gateway().keys("large")) == 1


def test_what_fills_it_for_good_is_said_and_stays_armed(etcd_tier):
    (node,) = form(etcd_tier, 1, **{"quota-backend-bytes": QUOTA})
    keys = (f"large/{number}" for number in itertools.count())
    said = ""
    # A large value is refused while smaller ones have room. What is less than a page of bolt's is
    # refused when no page is left, except that bolt has some space to give back at first.
    for size in (LARGE, *[LESS_THAN_A_PAGE] * 9):
        fill(etcd_tier, keys, size)
        said = node.defrag()
        assert said.startswith("dropped the history before revision ")
        assert ("disarmed NOSPACE" in said) == ("stays full" not in said)
        if "stays full" in said:
            break
    assert "stays full" in said
    assert "NOSPACE" in status(node)["errors"][0]
    assert status(node)["dbSize"] >= QUOTA


def test_without_etcd_it_says_so(etcd_tier):
    etcd_tier.found(1)
    etcd_tier.boot(0)
    with pytest.raises(NodeError, match="etcd does not answer: see journalctl -u etcd"):
        etcd_tier.nodes[0].defrag()
