"""What nodes follow while they run: read from Parameter Store (moto), kept for when it is away."""

import json

import pytest

from components.nodes.operations_parameter import operations_document
from config import check
from node import operations, prepare, reconcile, refresh
from node.contract import AUTHORIZED_KEYS
from node.errors import NodeError
from node.etcd import snapshot_age, snapshot_schedule, snapshots
from node.operations import Operations
from tests.node.conftest import put_files
from tests.node.doubles import FakeMachine
from tests.node.issued_certificates import api_files
from tests.unit.ssh_keygen import ed25519, rsa, sk_ed25519


def write(aws, **values):
    """As `pulumi up` does with these settings."""
    settings = check({"operatorAccess": "instance-connect", **values}, stack="test")
    aws.put_parameter(
        Name="/test/operations",
        Value=operations_document(settings),
        Type="String",
        Overwrite=True,
    )


@pytest.fixture
def keys(root):
    return lambda: [
        line
        for line in (root / AUTHORIZED_KEYS.lstrip("/")).read_text().splitlines()
        if not line.startswith("#")
    ]


ALICE, BOB = ed25519(1, "alice at home"), sk_ed25519()


def test_program_and_agent_mean_the_same(aws, node):
    write(
        aws,
        operatorKeys=[ALICE, BOB],
        artifacts={"mirror": "https://mirror.example/base/"},
        etcd={"snapshots": {"everyMinutes": 7, "keepDays": 3}},
    )
    assert operations.fetch(node()) == Operations(7, 3, "https://mirror.example/base", (ALICE, BOB))


def test_keys_come_and_go_with_the_stack(aws, node, keys):
    settings = node("api-0")
    write(aws, operatorKeys=[ALICE, BOB])
    assert operations.follow(settings) == ["accepts 2 operators' keys"]
    assert keys() == [ALICE, BOB]
    assert operations.follow(settings) == []

    write(aws, operatorKeys=[BOB])
    assert operations.follow(settings) == ["accepts 1 operators' keys"]
    assert keys() == [BOB]

    write(aws, operatorAccess="none")
    operations.follow(settings)
    assert keys() == []


def test_what_somebody_adds_on_the_node_goes_again(aws, node, root, keys):
    write(aws, operatorKeys=[ALICE])
    operations.follow(node())
    with (root / AUTHORIZED_KEYS.lstrip("/")).open("a") as file:
        file.write(f"{BOB}\n")
    operations.follow(node())
    assert keys() == [ALICE]


def test_sshd_reads_the_file_as_any_user_and_nobody_else_writes_it(aws, node, root):
    write(aws, operatorKeys=[ALICE])
    operations.follow(node())
    assert (root / AUTHORIZED_KEYS.lstrip("/")).stat().st_mode & 0o777 == 0o644


def test_without_aws_a_node_goes_on_as_it_was_told(aws, node, aws_down, keys):
    settings = node()
    write(aws, operatorKeys=[ALICE], etcd={"snapshots": {"everyMinutes": 60}})
    operations.follow(settings)
    aws_down()
    assert operations.follow(settings)[0].startswith("kept the operators' keys on disk: AWS: ")
    assert keys() == [ALICE]
    assert operations.current(settings).every_minutes == 60


def test_without_aws_and_without_an_earlier_time_it_says_so(aws, node, aws_down):
    aws_down()
    with pytest.raises(NodeError, match="on disk there is none of an earlier time"):
        operations.current(node())


SOUND = {"snapshots": {"everyMinutes": 5, "keepDays": 1}, "mirror": None, "operatorKeys": []}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {**SOUND, "snapshots": None},
        {**SOUND, "snapshots": {"everyMinutes": 0, "keepDays": 1}},
        {**SOUND, "operatorKeys": ["a\nssh-ed25519 of somebody else"]},
        {**SOUND, "operatorKeys": [1]},
        {**SOUND, "mirror": "http://mirror"},
    ],
)
def test_a_damaged_document_changes_nothing(aws, node, keys, document):
    settings = node()
    write(aws, operatorKeys=[ALICE])
    operations.follow(settings)
    aws.put_parameter(
        Name="/test/operations", Value=json.dumps(document), Type="String", Overwrite=True
    )
    (said,) = operations.follow(settings)
    assert "the operations parameter is damaged" in said
    assert said.endswith("run pulumi up")
    assert keys() == [ALICE]
    assert operations.current(settings).operator_keys == (ALICE,)


def test_the_largest_document_is_a_standard_parameter(aws, node):
    """4,096 characters (Parameter Store), whatever the rules of the settings let through."""
    largest = [rsa(4096, "x" * 40)] * 3 + [ed25519(n, "y" * 50) for n in range(4)]
    write(
        aws, operatorKeys=largest, artifacts={"mirror": f"https://{'m' * 60}.example/{'p' * 120}"}
    )
    text = aws.get_parameter(Name="/test/operations")["Parameter"]["Value"]
    assert 2900 < len(text) <= 4096


@pytest.mark.parametrize("step", ["stays", "fails"])
def test_reconcile_follows_whatever_comes_of_its_step(aws, node, keys, monkeypatch, step):
    settings = node("api-0")
    write(aws, operatorKeys=[ALICE])
    monkeypatch.setattr(refresh, "run", lambda *_: [])

    def taken(*_):
        if step == "fails":
            raise NodeError("HAProxy is in trouble")
        return "nothing to do"

    monkeypatch.setattr(reconcile, "_tier", taken)
    if step == "fails":
        with pytest.raises(NodeError, match=r"in trouble; accepts 1 operators' keys"):
            reconcile.run(settings, FakeMachine())
    else:
        assert reconcile.run(settings, FakeMachine()) == "nothing to do; accepts 1 operators' keys"
    assert keys() == [ALICE]


def test_a_first_boot_downloads_from_the_mirror_and_from_nowhere_else(aws, node, authority):
    """Port 1: nobody answers there."""
    put_files(aws, "api-0", api_files(authority))
    artifact = {
        "url": "https://dl.k8s.io/x",
        "sha256": "0" * 64,
        "kind": "binary",
        "binaries": ["x"],
    }
    settings = node("api-0", artifacts=[artifact])
    with pytest.raises(NodeError, match="there is none of an earlier time"):
        prepare.run(settings, FakeMachine())
    write(aws, artifacts={"mirror": "https://127.0.0.1:1/base"}, operatorAccess="none")
    with pytest.raises(NodeError, match=r"cannot download https://127.0.0.1:1/base/x"):
        prepare.run(settings, FakeMachine())


@pytest.fixture
def taken(monkeypatch):
    """Snapshots that are stored immediately."""
    calls = []

    def take(settings, mine):
        calls.append(settings.name)
        snapshot_age.remember(0)
        return "stored"

    monkeypatch.setattr(snapshots, "take", take)
    return calls


@pytest.fixture
def clock(monkeypatch):
    """Seconds; tests move it."""
    now = [1_700_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def test_a_snapshot_is_taken_as_often_as_the_stack_says_today(aws, node, taken, clock):
    settings = node()
    write(aws, etcd={"snapshots": {"everyMinutes": 20}}, operatorAccess="none")
    began = clock[0]
    when = []
    for _ in range(65):
        if snapshot_schedule.run(settings, settings.etcd, when_due=True) == "stored":
            when.append((clock[0] - began) / 60)
        clock[0] += 60
    assert when == [0, 20, 40, 60]

    write(aws, etcd={"snapshots": {"everyMinutes": 5}}, operatorAccess="none")
    operations.follow(settings)  # as `reconcile` does, each half minute
    assert snapshot_schedule.run(settings, settings.etcd, when_due=True) == "stored"
    said = snapshot_schedule.run(settings, settings.etcd, when_due=True)
    assert said == "the newest is 0 min old, and one is due every 5 min"


def test_a_person_gets_one_at_once(aws, node, taken):
    for _ in range(2):
        assert snapshot_schedule.run(node(), node().etcd) == "stored"
    assert len(taken) == 2


def test_an_attempt_that_failed_is_repeated_after_five_minutes(aws, node, clock, monkeypatch):
    settings, tried = node(), []

    def fail(*_):
        tried.append(clock[0])
        raise NodeError("S3 is away")

    monkeypatch.setattr(snapshots, "take", fail)
    write(aws, operatorAccess="none")
    began = clock[0]
    for _ in range(12):
        try:
            said = snapshot_schedule.run(settings, settings.etcd, when_due=True)
            assert said.startswith("the last attempt was ")
        except NodeError:
            pass
        clock[0] += 60
    assert [(t - began) / 60 for t in tried] == [0, 5, 10]


def test_a_clock_that_was_set_back_stops_no_attempt(clock):
    snapshot_schedule.attempt()
    clock[0] -= 7200
    assert snapshot_schedule.not_yet(15) is None


def test_without_aws_the_interval_is_the_one_of_before(aws, node, taken, clock, aws_down):
    settings = node()
    write(aws, etcd={"snapshots": {"everyMinutes": 30}}, operatorAccess="none")
    snapshot_schedule.run(settings, settings.etcd, when_due=True)
    aws_down()
    clock[0] += 1740
    said = snapshot_schedule.run(settings, settings.etcd, when_due=True)
    assert said == "the newest is 29 min old, and one is due every 30 min"
