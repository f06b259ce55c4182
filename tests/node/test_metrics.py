"""What CloudWatch is told, and that it never keeps a report from being written."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from node import metrics, report
from node.errors import NodeError
from node.etcd import snapshot_age
from tests.node.conftest import REGION
from tests.node.daemons import wait_until
from tests.node.doubles import FakeMachine
from tests.node.issued_certificates import Authority, api_files, etcd_files


@pytest.fixture
def cloudwatch(aws):
    return boto3.client("cloudwatch", region_name=REGION)


def sent(cloudwatch):
    """The values of each metric; every one has the dimension Cluster and no other."""
    now = datetime.now(UTC)
    found = {}
    for metric in cloudwatch.list_metrics(Namespace="ha-kubernetes/test")["Metrics"]:
        assert metric["Dimensions"] == [{"Name": "Cluster", "Value": "test"}]
        (points,) = cloudwatch.get_metric_data(
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            MetricDataQueries=[
                {
                    "Id": "it",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "ha-kubernetes/test",
                            "MetricName": metric["MetricName"],
                            "Dimensions": metric["Dimensions"],
                        },
                        "Period": 60,
                        "Stat": "Maximum",
                    },
                }
            ],
        )["MetricDataResults"]
        found[metric["MetricName"]] = max(points["Values"])
    return found


def test_a_member_tells_what_alarms_watch(s3, etcd_tier, cloudwatch):
    etcd_tier.form(1)
    (node,) = etcd_tier.nodes.values()
    assert node.report() == "member, healthy"
    first = sent(cloudwatch)
    assert set(first) == {
        "HasLeader",
        "NoSpaceAlarm",
        "CorruptAlarm",
        "DatabaseQuotaPercent",
        "MissingMembers",
        "CertificateDaysLeft",
    }, "of a snapshot nothing is known"
    assert (first["HasLeader"], first["NoSpaceAlarm"], first["CorruptAlarm"]) == (1, 0, 0)
    status = node.etcdctl("endpoint", "status")[0]["Status"]
    percent = 100 * status["dbSize"] / (1 << 30)
    assert first["DatabaseQuotaPercent"] == pytest.approx(percent, rel=0.5)
    assert 0.9 < first["CertificateDaysLeft"] < 1

    assert node.snapshot().startswith("stored ")
    node.report()
    after = sent(cloudwatch)
    assert 0 <= after["SnapshotAgeSeconds"] < 60
    assert after["SnapshotFailed"] == 0
    snapshot_age.remember(2700)
    node.report()
    assert 2700 <= sent(cloudwatch)["SnapshotAgeSeconds"] < 2800


def missing(cloudwatch, node):
    """What a node's next report says of missing members; None when it says nothing of them."""
    values = []
    real = metrics.publish

    def publish(settings, numbers):
        values.append(numbers.get("MissingMembers"))
        return real(settings, numbers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "publish", publish)
        node.report()
    return values[0]


def test_the_leader_tells_that_a_member_is_missing_and_when_it_is_back(etcd_tier, cloudwatch):
    etcd_tier.form(3)
    etcd_tier.lead(0)
    leader, victim, follower = (etcd_tier.nodes[number] for number in range(3))
    for node in (victim, follower):
        assert missing(cloudwatch, node) is None, "only the leader counts"
    assert missing(cloudwatch, leader) == 0
    assert sent(cloudwatch)["MissingMembers"] == 0

    victim.machine.kill()  # a stopped machine: its last report says that all is well
    wait_until(lambda: missing(cloudwatch, leader) == 1, "it is missed")
    assert sent(cloudwatch)["MissingMembers"] == 1
    follower.report()
    assert sent(cloudwatch)["HasLeader"] == 1, "which is all that a member says of itself"

    victim.machine.start("etcd.service")
    wait_until(victim.healthy, "it is back")
    victim.report()
    wait_until(lambda: missing(cloudwatch, leader) == 0, "nobody is missed")

    # So is one whose node is silent, or says that it is not well.
    etcd_tier.age(1, 600)
    assert missing(cloudwatch, leader) == 1
    etcd_tier.say(2, state="member", healthy=False)
    assert missing(cloudwatch, leader) == 2


def test_who_is_being_made_is_missing_only_when_that_takes_too_long(etcd_tier, cloudwatch):
    etcd_tier.form(1)
    (leader,) = etcd_tier.nodes.values()
    etcd_tier.put("/test/etcd/members", [])
    assert missing(cloudwatch, leader) is None
    assert "MissingMembers" not in sent(cloudwatch), "what it cannot know; silence raises the alarm"
    etcd_tier.desire(0, 1, 2)
    for number in (1, 2):
        etcd_tier.put(etcd_tier.status_name(number), {})
    assert missing(cloudwatch, leader) == 0
    etcd_tier.age(2, 901)
    assert missing(cloudwatch, leader) == 1
    etcd_tier.desire(0)
    assert missing(cloudwatch, leader) == 0, "who is not wanted is not missed"


@pytest.mark.parametrize(
    ("errors", "wanted"),
    [
        (["etcdserver: no leader"], {"HasLeader": 0, "NoSpaceAlarm": 0, "CorruptAlarm": 0}),
        (["memberID:1 alarm:NOSPACE "], {"HasLeader": 0, "NoSpaceAlarm": 1, "CorruptAlarm": 0}),
        (
            ["memberID:1 alarm:NOSPACE ", "memberID:2 alarm:CORRUPT "],
            {"HasLeader": 0, "NoSpaceAlarm": 1, "CorruptAlarm": 1},
        ),
    ],
)
def test_alarms_of_etcd_are_told(node, monkeypatch, errors, wanted):
    from node.etcd import local_member, member_metrics

    settings = node()
    facts = {"errors": errors, "dbSize": 3, "dbSizeQuota": 4, "header": {"member_id": 1}}
    monkeypatch.setattr(local_member, "facts", lambda *_: facts)
    found = member_metrics.numbers(settings, settings.etcd, {})
    assert found == {**wanted, "DatabaseQuotaPercent": 75}


def test_an_etcd_that_is_down_knows_no_leader_and_makes_nothing_up(node, aws, cloudwatch):
    settings = node()
    assert report.run(settings, FakeMachine()) == "waiting, not healthy"
    assert sent(cloudwatch) == {"HasLeader": 0}


def test_without_cloudwatch_the_status_is_written_and_one_line_says_so(node, aws, monkeypatch):
    settings = node()
    real = boto3.client

    def without(service, **options):
        elsewhere = {"endpoint_url": "http://127.0.0.1:1"} if service == "cloudwatch" else {}
        return real(service, **options, **elsewhere)

    monkeypatch.setattr(boto3, "client", without)
    monkeypatch.setattr(metrics, "ATTEMPTS", 1)
    said = report.run(settings, FakeMachine())
    assert said.startswith("waiting, not healthy; no metrics: AWS: Could not connect")
    assert "\n" not in said
    value = aws.get_parameter(Name="/test/nodes/etcd-0/status")["Parameter"]["Value"]
    assert json.loads(value)["state"] == "waiting"


def test_without_parameter_store_the_numbers_still_go_out(node, aws, cloudwatch, monkeypatch):
    """Or silence would raise the alarm of a cluster without a leader."""
    settings = node()

    def refused(*_):
        raise NodeError("AWS: throttled")

    monkeypatch.setattr("node.aws.ParameterStore.put", refused)
    with pytest.raises(NodeError, match="throttled"):
        report.run(settings, FakeMachine())
    assert sent(cloudwatch) == {"HasLeader": 0}


def test_the_certificate_that_expires_first_counts(node, authority):
    settings = node()
    assert metrics.certificate_days(settings) == {}
    settings.pki.mkdir(parents=True)
    for name, content in etcd_files(authority, "etcd-0", "127.0.0.1").items():
        (settings.pki / name).write_text(content)
    short = authority.leaf("etcd-peer", "127.0.0.1", days=0.25).certificate
    (settings.pki / "peer.crt").write_text(short)
    days = metrics.certificate_days(settings)["CertificateDaysLeft"]
    assert 0.2 < days < 0.25
    (settings.pki / "peer.crt").write_text("nothing")
    assert metrics.certificate_days(settings) == {}


@pytest.mark.parametrize("ca", ["ca.crt", "etcd-ca.crt", "front-proxy-ca.crt"])
def test_a_ca_that_ends_before_its_leaves_counts(node, authority, ca):
    """kubeadm#1783: leaves of a year under a CA with days to live."""
    settings = node("api-0")
    settings.pki.mkdir(parents=True)
    for name, content in api_files(authority).items():
        (settings.pki / name).write_text(content)
    assert metrics.certificate_days(settings)["CertificateDaysLeft"] > 0.9
    (settings.pki / ca).write_text(Authority("etcd-ca", days=0.5).pair.certificate)
    assert 0.4 < metrics.certificate_days(settings)["CertificateDaysLeft"] < 0.5
