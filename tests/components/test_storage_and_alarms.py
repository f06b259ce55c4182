import base64
import hashlib
import inspect
import io
import json
import zipfile

import pytest

from node import metrics
from node.cluster import agent
from node.contract import INTERVAL_SECONDS, JOIN_SECONDS, Metric, WorkerMetric, metric_namespace
from node.etcd import member_metrics
from tests.recording import REPOSITORY, SMALL, UNPROTECTED


def test_snapshots_are_versioned_encrypted_private_and_never_expire_by_age(cluster):
    name = "test-bucket"
    bucket = {"bucket": f"{name}-id"}
    assert cluster.of("Bucket")[name]["forceDestroy"] is False
    assert cluster.of("BucketPublicAccessBlock")[name] == {
        **bucket,
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert cluster.of("BucketVersioning")[name] == {
        **bucket,
        "versioningConfiguration": {"status": "Enabled"},
    }
    (encryption,) = cluster.of("BucketServerSideEncryptionConfiguration")[name]["rules"]
    assert encryption["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": "arn:aws:kms:eu-central-1:123456789012:key/test-key-id",
    }
    deleted, markers = cluster.of("BucketLifecycleConfiguration")[name]["rules"]
    for rule in (deleted, markers):
        assert rule["status"] == "Enabled"
        assert rule["filter"] == {"prefix": "snapshots/"}, "the agent must not expire"
    # With `days` the last good snapshot would go when no new one comes.
    assert "expiration" not in deleted
    assert markers["expiration"] == {"expiredObjectDeleteMarker": True}
    assert deleted["noncurrentVersionExpiration"] == {"noncurrentDays": 7}
    assert deleted["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}
    (statement,) = json.loads(cluster.of("BucketPolicy")[name]["policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_unprotected_bucket_goes_with_its_snapshots(deploy_stack):
    cluster = deploy_stack(UNPROTECTED)
    assert cluster.of("Bucket")["test-bucket"]["forceDestroy"] is True


def test_the_agent_lies_in_the_bucket_under_its_checksum(cluster):
    ((name, stored),) = cluster.registrations("BucketObjectv2").items()
    archive = base64.b64decode(stored.inputs["contentBase64"])
    assert name == "test-program"
    assert stored.inputs == {
        "bucket": "test-bucket-id",
        "key": f"agent/{hashlib.sha256(archive).hexdigest()}.zip",
        "contentBase64": stored.inputs["contentBase64"],
        "contentType": "application/zip",
    }
    assert "node/__main__.py" in zipfile.ZipFile(io.BytesIO(archive)).namelist()
    # Stored before the bucket encrypts by the cluster's key, it would be encrypted by another.
    for type_ in ("BucketServerSideEncryptionConfiguration", "BucketVersioning"):
        assert cluster.urn(type_, "test-bucket") in stored.dependencies


def test_an_old_agent_stays_where_nodes_may_still_look_for_it(cluster):
    (stored,) = cluster.registrations("BucketObjectv2").values()
    assert stored.retain_on_delete
    assert not stored.delete_before_replace
    assert {r.name for r in cluster.resources if r.retain_on_delete} == {"test-program"}


def test_the_key_is_rotated_and_hard_to_delete(cluster):
    key = cluster.of("Key")["test"]
    assert key["enableKeyRotation"] is True
    assert key["deletionWindowInDays"] == 30
    account, alarms = json.loads(key["policy"])["Statement"]
    # KMS's own default: without it nobody could ever change the key again.
    assert account == {
        "Sid": "AccountPolicies",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    assert alarms == {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    }
    assert cluster.of("Alias")["test"] == {"name": "alias/test", "targetKeyId": "test-key-id"}


def test_alarms(cluster):
    alarms = cluster.of("MetricAlarm")
    assert set(alarms) == {
        "test-unhealthy-targets",
        "test-missing-targets",
        *(f"test-{node}-status" for node in NODES),
        *(f"test-{suffix}" for suffix in REPORTED),
    }
    topic = ["arn:aws:sns:eu-central-1:123456789012:test-alarms"]
    for alarm in alarms.values():
        assert alarm["alarmActions"] == alarm["okActions"] == topic
        assert alarm["period"] == 60
        assert len(alarm["alarmDescription"]) <= 1024, "CloudWatch takes no more"
    assert cluster.of("Topic")["test-alarms"]["kmsMasterKeyId"].endswith(":key/test-key-id")
    targets = alarms["test-unhealthy-targets"]
    assert targets["namespace"] == "AWS/NetworkELB"
    assert targets["metricName"] == "UnHealthyHostCount"
    assert targets["dimensions"] == {
        "LoadBalancer": "net/test-api/1",
        "TargetGroup": "targetgroup/test-api/1",
    }
    status = alarms["test-etcd-2-status"]
    assert status["metricName"] == "StatusCheckFailed"
    assert status["dimensions"] == {"InstanceId": "test-etcd-2-id"}
    for alarm in (targets, status):
        assert (alarm["comparisonOperator"], alarm["threshold"]) == ("GreaterThanThreshold", 0)
    assert status["treatMissingData"] == "breaching", "a stopped machine sends no data"
    assert status["evaluationPeriods"] == 5
    there = alarms["test-missing-targets"]
    assert (there["metricName"], there["statistic"]) == ("HealthyHostCount", "Minimum")
    assert (there["comparisonOperator"], there["threshold"]) == ("LessThanThreshold", 3)
    assert (there["evaluationPeriods"], there["treatMissingData"]) == (5, "breaching")


def test_an_alarm_that_silence_raises_waits_for_the_machines(cluster):
    """Or it would fire during the first `pulumi up`, and go on firing while a stack is destroyed."""
    machines = {cluster.urn("Instance", f"test-{node}") for node in NODES}
    registered = cluster.registrations("MetricAlarm")
    for suffix in ("no-leader", "missing-members", "snapshot-age", "missing-targets"):
        assert registered[f"test-{suffix}"].inputs["treatMissingData"] == "breaching"
        assert machines <= set(registered[f"test-{suffix}"].dependencies)
    assert not machines & set(registered["test-no-space"].dependencies)


def test_the_number_of_api_servers_that_are_missed_follows_the_size(deploy_stack):
    cluster = deploy_stack(SMALL)
    assert cluster.of("MetricAlarm")["test-missing-targets"]["threshold"] == 2


NODES = [f"{tier}-{n}" for tier in ("api", "etcd") for n in range(3)]
ABOVE, BELOW = "GreaterThanThreshold", "LessThanThreshold"
REPORTED = {
    "no-leader": ("HasLeader", "Maximum", BELOW, 1, 3, "breaching"),
    "missing-members": ("MissingMembers", "Maximum", ABOVE, 0, 5, "breaching"),
    "snapshot-age": ("SnapshotAgeSeconds", "Minimum", ABOVE, 3 * 15 * 60, 5, "breaching"),
    "snapshot-failed": ("SnapshotFailed", "Maximum", ABOVE, 0, 1, "ignore"),
    "data-disk": ("DataDiskNeededPercent", "Maximum", ABOVE, 90, 5, "ignore"),
    "no-space": ("NoSpaceAlarm", "Maximum", ABOVE, 0, 1, "ignore"),
    "corrupt": ("CorruptAlarm", "Maximum", ABOVE, 0, 1, "ignore"),
    "database-size": ("DatabaseQuotaPercent", "Maximum", ABOVE, 80, 5, "ignore"),
    "certificates": ("CertificateDaysLeft", "Minimum", BELOW, 30, 5, "ignore"),
}


OF_WORKERS = {
    "undecided-requests": ("UndecidedRequestSeconds", "Maximum", ABOVE, 900, 3, "missing"),
    "not-ready-workers": ("NotReadyWorkerSeconds", "Maximum", ABOVE, 900, 3, "missing"),
    "missing-workers": ("MissingWorkerSeconds", "Maximum", ABOVE, 1500, 3, "missing"),
}


@pytest.fixture(scope="module")
def with_workers(deploy_stack):
    return deploy_stack({"workers": {"general": {"min": 1}}})


@pytest.mark.parametrize("suffix", REPORTED)
def test_alarms_on_what_nodes_report(cluster, suffix):
    _watches(cluster.of("MetricAlarm")[f"test-{suffix}"], REPORTED[suffix])


@pytest.mark.parametrize("suffix", OF_WORKERS)
def test_alarms_of_workers(with_workers, suffix):
    _watches(with_workers.of("MetricAlarm")[f"test-{suffix}"], OF_WORKERS[suffix])


def test_workers_bring_their_alarms_and_nothing_else_does(cluster, with_workers):
    """Without workers nobody would send what they watch."""
    more = set(with_workers.of("MetricAlarm")) - set(cluster.of("MetricAlarm"))
    assert more == {f"test-{suffix}" for suffix in OF_WORKERS}
    assert set(cluster.of("MetricAlarm")) <= set(with_workers.of("MetricAlarm"))


def test_silence_is_told_of_alarms_of_workers_once_there_was_a_value(with_workers):
    """A new alarm has no data, and so tells nothing: who sends is made after it."""
    alarms = with_workers.of("MetricAlarm")
    (topic,) = alarms["test-undecided-requests"]["alarmActions"]
    assert topic.startswith("arn:aws:sns:")
    for name, alarm in alarms.items():
        told = [topic] if name.removeprefix("test-") in OF_WORKERS else None
        assert alarm.get("insufficientDataActions") == told
        assert (alarm["treatMissingData"] == "missing") == (told is not None)


def test_alarms_of_workers_give_a_replacement_its_time():
    """A launch that does not join is given up, and another one is to boot and join before anybody
    is woken; and no minute is without a value."""
    boots_and_joins = 300
    assert OF_WORKERS["missing-workers"][3] >= JOIN_SECONDS + boots_and_joins + 120
    assert agent.METRICS_INTERVAL + agent.INTERVAL < 60
    assert agent.METRICS_INTERVAL == INTERVAL_SECONDS


def _watches(alarm, wanted):
    assert alarm["namespace"] == metric_namespace("test") == "ha-kubernetes/test"
    assert alarm["dimensions"] == {"Cluster": "test"}
    assert wanted == (
        alarm["metricName"],
        alarm["statistic"],
        alarm["comparisonOperator"],
        alarm["threshold"],
        alarm["evaluationPeriods"],
        alarm["treatMissingData"],
    )


def test_every_metric_is_sent():
    """By name: an alarm on a metric that nobody sends would be silent, or never be."""
    sent = inspect.getsource(member_metrics) + inspect.getsource(metrics)
    assert {metric for metric, *_ in REPORTED.values()} == set(Metric)
    for metric in Metric:
        assert f"Metric.{metric.name}" in sent
    of_workers = inspect.getsource(agent)
    assert {metric for metric, *_ in OF_WORKERS.values()} == set(WorkerMetric)
    for metric in WorkerMetric:
        assert f"WorkerMetric.{metric.name}" in of_workers


def test_the_age_that_is_too_old_follows_the_interval(deploy_stack):
    cluster = deploy_stack({**SMALL, "etcd": {"size": 1, "snapshots": {"everyMinutes": 60}}})
    alarm = cluster.of("MetricAlarm")["test-snapshot-age"]
    assert alarm["threshold"] == 3 * 60 * 60
    assert alarm["alarmDescription"].startswith("No etcd snapshot for 180 minutes, ")


SILENCE = {
    "breaching": "fires",
    "notBreaching": "fine",
    "ignore": "stays as it is",
    "missing": "is told",
}


def rows(cluster):
    """The table of alarms as the documentation should have it, from what is declared."""
    for name, alarm in cluster.of("MetricAlarm").items():
        suffix = name.removeprefix("test-")
        if suffix.endswith("-status"):
            if suffix != "etcd-0-status":
                continue
            suffix = "<node>-status"
        sign = {ABOVE: "above", BELOW: "below"}[alarm["comparisonOperator"]]
        condition = f"{alarm['statistic'].lower()} {sign} {alarm['threshold']:g}"
        silence = SILENCE[alarm["treatMissingData"]]
        yield (
            f"| [`{suffix}`](runbooks/alarms.md#{suffix.replace('<', '').replace('>', '')}) | "
            f"`{alarm['metricName']}` {condition} | {alarm['evaluationPeriods']:g} min | {silence} |"
        )


def test_the_documentation_has_every_alarm(with_workers):
    """Also a section of the runbook for each, which its description names."""
    architecture = (REPOSITORY / "docs/architecture.md").read_text()
    part = architecture.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    table = [line for line in part.splitlines() if line.startswith("| [`")]
    assert sorted(table) == sorted(rows(with_workers))
    runbook = (REPOSITORY / "docs/runbooks/alarms.md").read_text()
    headings = {line[3:].strip("`") for line in runbook.splitlines() if line[:3] == "## "}
    for name, alarm in with_workers.of("MetricAlarm").items():
        text, _, section = alarm["alarmDescription"].partition(
            ". Runbook: docs/runbooks/alarms.md, "
        )
        assert ":" in text, "what is wrong: what to do first"
        suffix = name.removeprefix("test-")
        assert section == suffix
        assert ("<node>-status" if suffix.endswith("-status") else suffix) in headings
