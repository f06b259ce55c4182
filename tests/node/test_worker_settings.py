"""Settings of a worker, and of API servers of a cluster that has workers; credentials of AWS."""

import pytest

from node import aws as node_aws
from node import credentials
from node.errors import AwsError, NodeError
from node.settings import CLUSTER_AGENT, FILES, Artifact, load
from tests.node.conftest import document, put_files
from tests.node.doubles import Metadata
from tests.node.issued_certificates import api_files
from tests.node.worker_node import PARAMETERS, changes

WITH_WORKERS = {
    "parameters": {
        **document("api-0")["parameters"],
        "joinToken": PARAMETERS["joinToken"],
        "cluster": "/test/cluster",
    }
}


def test_a_worker_knows_its_pool_and_no_secret_is_its_own(node):
    settings = node("test-workers-blue", **changes("https://api.test:6443"))
    assert settings == load()
    assert (settings.worker.pool, settings.worker.api) == ("blue", "https://api.test:6443")
    assert settings.worker.group(settings.name, "eu-central-1a") == "test-workers-blue"
    assert (settings.files, settings.ca_of, settings.etcd) == (("ca.crt",), {}, None)
    assert str(settings.pki).endswith("/etc/kubernetes/pki")


def test_a_pool_may_have_a_group_in_each_zone(node):
    settings = node("test-workers-blue", **changes(perZone=True))
    assert settings.worker.group(settings.name, "eu-central-1b") == (
        "test-workers-blue-eu-central-1b"
    )


def test_a_worker_without_its_part_is_damaged(node):
    with pytest.raises(KeyError):
        node("test-workers-blue", tier="worker", parameters=PARAMETERS)
    with pytest.raises(NodeError, match="missing or damaged"):
        load()


def test_the_cluster_agents_certificate_is_of_clusters_with_workers_only(node):
    alone, together = node("api-0"), node("api-0", **WITH_WORKERS)
    assert alone.files == FILES["api"]
    assert together.files == (*FILES["api"], "cluster-agent.crt", "cluster-agent.key")
    assert CLUSTER_AGENT not in alone.ca_of
    assert together.ca_of[CLUSTER_AGENT] == "ca.crt"


def test_an_api_server_of_a_cluster_with_workers_waits_for_that_certificate(node, aws, authority):
    settings, files = node("api-0", **WITH_WORKERS), api_files(authority)
    with pytest.raises(NodeError, match=r"cluster-agent\.crt is missing"):
        credentials.replace(settings, files)
    pair = authority.leaf("ha-kubernetes:cluster-agent", group="system:masters")
    files |= {"cluster-agent.crt": pair.certificate, "cluster-agent.key": pair.key}
    assert set(credentials.replace(settings, files)) == set(settings.files)
    put_files(aws, "api-0", files)
    assert credentials.replace(settings, files) == []


def test_artifacts_go_into_the_directory_of_binaries_unless_they_say(node):
    told = {"url": "https://x", "sha256": "0", "kind": "binary", "binaries": ["runc"]}
    elsewhere = {**told, "directory": "/opt/cni/bin"}
    artifacts = node("api-0", artifacts=[told, elsewhere]).artifacts
    assert [one.directory for one in artifacts] == ["/usr/local/bin", "/opt/cni/bin"]
    assert isinstance(artifacts[0], Artifact)


def test_credentials_that_are_there_are_enough(aws):
    node_aws.require_credentials()


def test_without_credentials_a_process_that_runs_on_ends_instead(aws, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setattr(Metadata, "items", {})
    with pytest.raises(AwsError, match="gives no credentials"):
        node_aws.require_credentials()
