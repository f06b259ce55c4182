import base64
import hashlib
import inspect
import io
import json
import zipfile

import pytest

from node import metrics
from node.etcd import numbers


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
        assert rule["filter"] == {"prefix": "snapshots/"}, "the program must not expire"
    # With `days` the last good snapshot would go when no new one comes.
    assert "expiration" not in deleted
    assert markers["expiration"] == {"expiredObjectDeleteMarker": True}
    assert deleted["noncurrentVersionExpiration"] == {"noncurrentDays": 7}
    assert deleted["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}
    (statement,) = json.loads(cluster.of("BucketPolicy")[name]["policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_unprotected_bucket_goes_with_its_snapshots(deploy_stack):
    cluster = deploy_stack({"protect": False})
    assert cluster.of("Bucket")["test-bucket"]["forceDestroy"] is True


def test_the_program_lies_in_the_bucket_under_its_checksum(cluster):
    ((name, stored),) = cluster.registrations("BucketObjectv2").items()
    archive = base64.b64decode(stored.inputs["contentBase64"])
    assert name == "test-program"
    assert stored.inputs == {
        "bucket": "test-bucket-id",
        "key": f"program/{hashlib.sha256(archive).hexdigest()}.zip",
        "contentBase64": stored.inputs["contentBase64"],
        "contentType": "application/zip",
    }
    assert "node/__main__.py" in zipfile.ZipFile(io.BytesIO(archive)).namelist()
    # Stored before the bucket encrypts by the cluster's key, it would be encrypted by another.
    for type_ in ("BucketServerSideEncryptionConfiguration", "BucketVersioning"):
        assert cluster.urn(type_, "test-bucket") in stored.dependencies


def test_an_old_program_stays_where_nodes_may_still_look_for_it(cluster):
    (stored,) = cluster.registrations("BucketObjectv2").values()
    assert stored.retain_on_delete
    assert not stored.delete_before_replace
    assert {r.name for r in cluster.resources if r.retain_on_delete} == {"test-program"}


def test_the_key_is_rotated_and_hard_to_delete(cluster):
    key = cluster.of("Key")["test"]
    assert key["enableKeyRotation"] is True
    assert key["deletionWindowInDays"] == 30
    assert "policy" not in key
    assert cluster.of("Alias")["test"] == {"name": "alias/test", "targetKeyId": "test-key-id"}


def test_alarms(cluster):
    alarms = cluster.of("MetricAlarm")
    nodes = [f"{tier}-{n}" for tier in ("api", "etcd") for n in range(3)]
    assert set(alarms) == {
        "test-unhealthy-targets",
        *(f"test-{node}-status" for node in nodes),
        *(f"test-{suffix}" for suffix in REPORTED),
    }
    topic = ["arn:aws:sns:eu-central-1:123456789012:test-alarms"]
    for alarm in alarms.values():
        assert alarm["alarmActions"] == alarm["okActions"] == topic
        assert alarm["period"] == 60
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


ABOVE, BELOW = "GreaterThanThreshold", "LessThanThreshold"
REPORTED = {
    "no-leader": ("HasLeader", "Maximum", BELOW, 1, 3, "breaching"),
    "snapshot-age": ("SnapshotAgeSeconds", "Minimum", ABOVE, 3 * 15 * 60, 5, "breaching"),
    "snapshot-failed": ("SnapshotFailed", "Maximum", ABOVE, 0, 1, "ignore"),
    "data-disk": ("DataDiskNeededPercent", "Maximum", ABOVE, 90, 5, "ignore"),
    "no-space": ("NoSpaceAlarm", "Maximum", ABOVE, 0, 1, "ignore"),
    "corrupt": ("CorruptAlarm", "Maximum", ABOVE, 0, 1, "ignore"),
    "database-size": ("DatabaseQuotaPercent", "Maximum", ABOVE, 80, 5, "ignore"),
    "certificates": ("CertificateDaysLeft", "Minimum", BELOW, 30, 5, "ignore"),
}


@pytest.mark.parametrize("suffix", REPORTED)
def test_alarms_on_what_nodes_report(cluster, suffix):
    alarm = cluster.of("MetricAlarm")[f"test-{suffix}"]
    assert alarm["namespace"] == metrics.NAMESPACE
    assert alarm["dimensions"] == {"Cluster": "test"}
    assert REPORTED[suffix] == (
        alarm["metricName"],
        alarm["statistic"],
        alarm["comparisonOperator"],
        alarm["threshold"],
        alarm["evaluationPeriods"],
        alarm["treatMissingData"],
    )


def test_every_metric_is_sent_by_nodes():
    """By name: an alarm on a metric that nobody sends would be silent, or never be."""
    sent = inspect.getsource(numbers) + inspect.getsource(metrics)
    for metric, *_ in REPORTED.values():
        assert f'"{metric}"' in sent


def test_the_age_that_is_too_old_follows_the_interval(deploy_stack):
    cluster = deploy_stack({"etcd": {"snapshots": {"everyMinutes": 60}}})
    alarm = cluster.of("MetricAlarm")["test-snapshot-age"]
    assert alarm["threshold"] == 3 * 60 * 60
    assert alarm["alarmDescription"] == "No etcd snapshot for 180 minutes: three were missed"
