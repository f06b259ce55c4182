"""Who is who: CAs, leaves, files, roles; read off the whole program."""

import base64
import json

import pytest
import yaml

from components.pki.encryption_at_rest import encryption_configuration
from tests.recording import is_secret

ETCD = [f"test-etcd-{n}" for n in range(3)]
API = [f"test-api-{n}" for n in range(3)]
ACCOUNT = "eu-central-1:123456789012"


def test_three_authorities_and_nothing_else_signs(cluster):
    authorities = cluster.of("SelfSignedCert")
    assert set(authorities) == {"test-kubernetes-ca", "test-etcd-ca", "test-front-proxy-ca"}
    for name, authority in authorities.items():
        assert authority["isCaCertificate"] is True
        assert authority["allowedUses"] == ["cert_signing", "crl_signing", "digital_signature"]
        assert authority["subject"] == {"commonName": name}
        assert authority["validityPeriodHours"] == 10 * 365 * 24
    for leaf in cluster.of("LocallySignedCert").values():
        assert leaf["isCaCertificate"] is False
        assert "cert_signing" not in leaf["allowedUses"]
        assert leaf["validityPeriodHours"] == 365 * 24


def test_every_key_is_ecdsa_p256(cluster):
    for key in cluster.of("PrivateKey").values():
        assert key == {"algorithm": "ECDSA", "ecdsaCurve": "P256"}


SERVER = ["digital_signature", "server_auth"]
CLIENT = ["digital_signature", "client_auth"]
BOTH = ["digital_signature", "server_auth", "client_auth"]


@pytest.mark.parametrize(
    ("leaf", "authority", "subject", "uses"),
    [
        ("etcd-1-server", "etcd", {"commonName": "etcd-1"}, BOTH),
        ("etcd-1-peer", "etcd", {"commonName": "etcd-peer"}, BOTH),
        ("api-2-apiserver", "kubernetes", {"commonName": "kube-apiserver"}, SERVER),
        ("api-2-apiserver-etcd-client", "etcd", {"commonName": "api-2"}, CLIENT),
        (
            "api-2-apiserver-kubelet-client",
            "kubernetes",
            {"commonName": "kube-apiserver-kubelet-client", "organization": "system:masters"},
            CLIENT,
        ),
        ("api-2-front-proxy-client", "front-proxy", {"commonName": "front-proxy-client"}, CLIENT),
        (
            "api-2-controller-manager",
            "kubernetes",
            {"commonName": "system:kube-controller-manager"},
            CLIENT,
        ),
        ("api-2-scheduler", "kubernetes", {"commonName": "system:kube-scheduler"}, CLIENT),
        ("admin", "kubernetes", {"commonName": "admin", "organization": "system:masters"}, CLIENT),
    ],
)
def test_leaves(cluster, leaf, authority, subject, uses):
    certificate = cluster.of("LocallySignedCert")[f"test-{leaf}"]
    request = cluster.of("CertRequest")[f"test-{leaf}"]
    assert certificate["allowedUses"] == uses
    assert certificate["caCertPem"] == f"certificate test-{authority}-ca"
    assert f"test-{authority}-ca" in certificate["caPrivateKeyPem"]
    assert certificate["certRequestPem"] == f"request test-{leaf}"
    assert request["subject"] == subject


def test_no_leaf_is_left_out(cluster):
    per_member = ("server", "peer")
    per_api_server = (
        "apiserver",
        "apiserver-etcd-client",
        "apiserver-kubelet-client",
        "front-proxy-client",
        "controller-manager",
        "scheduler",
    )
    assert set(cluster.of("LocallySignedCert")) == {
        "test-admin",
        *(f"{node}-{leaf}" for node in ETCD for leaf in per_member),
        *(f"{node}-{leaf}" for node in API for leaf in per_api_server),
    }


def test_members_are_known_by_address_loopback_and_name(cluster):
    for leaf in ("server", "peer"):
        request = cluster.of("CertRequest")[f"test-etcd-2-{leaf}"]
        assert request["dnsNames"] == ["etcd-2", "localhost"]
        assert request["ipAddresses"] == ["10.0.224.38", "127.0.0.1"]


def test_api_servers_are_known_by_every_name_that_clients_use(cluster):
    request = cluster.of("CertRequest")["test-api-0-apiserver"]
    assert request["dnsNames"] == [
        "api-0",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "test-api.elb.eu-central-1.amazonaws.com",
    ]
    assert request["ipAddresses"] == ["10.96.0.1", "127.0.0.1"]


def test_clients_have_no_names_to_serve_under(cluster):
    for name, request in cluster.of("CertRequest").items():
        if not name.endswith(("-server", "-peer", "-apiserver")):
            assert "dnsNames" not in request
            assert "ipAddresses" not in request


def test_an_epoch_reissues_every_leaf_and_no_authority(cluster):
    keys = cluster.registrations("PrivateKey")
    leaves = set(cluster.of("LocallySignedCert"))
    for name, key in keys.items():
        assert (key.replacement_trigger is not None) == (name in leaves), name
    assert {key.replacement_trigger for name, key in keys.items() if name in leaves} == {1}


def files(cluster, node):
    prefix = f"/test/nodes/{node}/files/"
    return {
        parameter["name"].removeprefix(prefix): parameter
        for parameter in cluster.of("Parameter").values()
        if parameter["name"].startswith(prefix)
    }


def test_files_of_a_member(cluster):
    found = files(cluster, "etcd-0")
    assert set(found) == {"ca.crt", "server.crt", "server.key", "peer.crt", "peer.key"}
    assert found["ca.crt"]["value"] == "certificate test-etcd-ca"
    assert "test-etcd-0-server" in found["server.key"]["value"]


def test_files_of_an_api_server(cluster):
    found = files(cluster, "api-0")
    pairs = (
        "apiserver",
        "apiserver-etcd-client",
        "apiserver-kubelet-client",
        "front-proxy-client",
        "controller-manager",
        "scheduler",
    )
    assert set(found) == {
        *(f"{leaf}.{end}" for leaf in pairs for end in ("crt", "key")),
        "ca.crt",
        "ca.key",
        "etcd-ca.crt",
        "front-proxy-ca.crt",
        "sa.key",
        "sa.pub",
        "encryption.yaml",
    }
    assert found["etcd-ca.crt"]["value"] == "certificate test-etcd-ca"


def test_no_node_gets_the_key_of_another_authority(cluster):
    for parameter in cluster.of("Parameter").values():
        assert "test-etcd-ca\n" not in parameter["value"]
        assert "test-front-proxy-ca\n" not in parameter["value"]
    for node in ("etcd-0", "etcd-1", "etcd-2"):
        assert "ca.key" not in files(cluster, node)


def test_files_are_secure_strings_under_the_clusters_own_key(cluster):
    for name, registration in cluster.registrations("Parameter").items():
        parameter = registration.inputs
        if "/files/" not in parameter["name"]:
            continue
        assert parameter["type"] == "SecureString", name
        assert parameter["keyId"].endswith("key/test-key-id")
        assert is_secret(registration.raw["value"]), name
        assert len(parameter["value"].encode()) <= 4096


def test_all_api_servers_share_what_must_be_shared(cluster):
    shared = ("ca.crt", "ca.key", "sa.key", "sa.pub", "encryption.yaml", "front-proxy-ca.crt")
    for file in shared:
        assert len({files(cluster, f"api-{n}")[file]["value"] for n in range(3)}) == 1
    for file in ("apiserver.key", "apiserver-etcd-client.key"):
        assert len({files(cluster, f"api-{n}")[file]["value"] for n in range(3)}) == 3


def test_encryption_at_rest_is_a_32_byte_secretbox_key():
    document = yaml.safe_load(encryption_configuration("seed"))
    (resource,) = document["resources"]
    secretbox, identity = resource["providers"]
    (key,) = secretbox["secretbox"]["keys"]
    assert resource["resources"] == ["secrets"]
    assert len(base64.b64decode(key["secret"])) == 32
    assert identity == {"identity": {}}
    assert encryption_configuration("seed") == encryption_configuration("seed")
    assert encryption_configuration("seed") != encryption_configuration("other seed")
    assert "seed" not in document


def statements(cluster, node):
    document = json.loads(cluster.of("RolePolicy")[f"test-{node}"]["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def parameter_arn(path):
    return f"arn:aws:ssm:{ACCOUNT}:parameter{path}"


THROUGH_S3 = {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}


def allowed(cluster, node, action):
    """On what a node may do something."""
    return {
        resource
        for statement in statements(cluster, node).values()
        for resource in statement["Resource"]
        if action in statement["Action"]
    }


def test_no_node_writes_what_another_one_reads_but_the_marker(cluster):
    objects = "arn:aws:s3:::test-bucket-id"
    for node in ("etcd-0", "etcd-1"):
        assert allowed(cluster, node, "s3:PutObject") == {f"{objects}/snapshots/{node}/*"}
        assert allowed(cluster, node, "ssm:PutParameter") == {
            parameter_arn(f"/test/nodes/{node}/status"),
            parameter_arn("/test/etcd/formation"),
        }
    assert allowed(cluster, "api-0", "s3:PutObject") == set()
    assert allowed(cluster, "api-0", "ssm:PutParameter") == {
        parameter_arn("/test/nodes/api-0/status")
    }


def test_only_members_read_snapshots_and_reports(cluster):
    objects = "arn:aws:s3:::test-bucket-id"
    membership = {
        parameter_arn(f"/test/{name}") for name in ("etcd/members", "etcd/formation", "operations")
    }
    assert allowed(cluster, "etcd-0", "s3:GetObject") == {
        f"{objects}/agent/*",
        f"{objects}/snapshots/*",
    }
    assert allowed(cluster, "api-0", "s3:GetObject") == {f"{objects}/agent/*"}
    assert allowed(cluster, "api-0", "s3:ListBucket") == set()
    assert allowed(cluster, "api-0", "ssm:GetParameter") == membership
    assert allowed(cluster, "api-0", "kms:GenerateDataKey") == set()
    # The program asks for several at once, which is an action of its own.
    assert allowed(cluster, "api-0", "ssm:GetParameters") == {
        *membership,
        parameter_arn("/test/nodes/api-0/status"),
    }
    assert allowed(cluster, "api-0", "ssm:GetParameterHistory") == set()
    assert allowed(cluster, "etcd-0", "ssm:GetParameter") == membership
    assert allowed(cluster, "etcd-0", "ssm:GetParameters") == {
        *membership,
        parameter_arn("/test/nodes/etcd-*/status"),
        parameter_arn("/test/nodes/etcd-0/status"),
    }
    assert allowed(cluster, "etcd-0", "ssm:GetParameterHistory") == {
        parameter_arn("/test/etcd/formation"),
        parameter_arn("/test/nodes/etcd-*/status"),
    }


def test_a_role_for_every_node_that_only_ec2_can_take(cluster):
    assert set(cluster.of("Role")) == {*ETCD, *API}
    for name, role in cluster.of("Role").items():
        (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
        assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}
        assert cluster.of("InstanceProfile")[name]["role"] == name


def test_what_an_api_server_may_do(cluster):
    found = statements(cluster, "api-1")
    assert set(found) == {
        "Files",
        "Membership",
        "Report",
        "DecryptFiles",
        "Agent",
        "DecryptObjects",
        "Metrics",
    }
    assert found["Metrics"]["Action"] == ["cloudwatch:PutMetricData"]
    assert found["Metrics"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "ha-kubernetes/test"}
    }
    own = parameter_arn("/test/nodes/api-1/files")
    assert found["Files"]["Action"] == ["ssm:GetParametersByPath"]
    assert found["Files"]["Resource"] == [own, f"{own}/*"]
    assert found["Membership"]["Resource"] == [
        parameter_arn("/test/etcd/members"),
        parameter_arn("/test/etcd/formation"),
        parameter_arn("/test/operations"),
    ]
    assert found["Report"]["Action"] == ["ssm:GetParameters", "ssm:PutParameter"]
    assert found["Report"]["Resource"] == [parameter_arn("/test/nodes/api-1/status")]
    assert found["DecryptFiles"]["Condition"] == {
        "StringLike": {"kms:EncryptionContext:PARAMETER_ARN": f"{own}/*"}
    }
    assert found["Agent"]["Action"] == ["s3:GetObject"]
    assert found["Agent"]["Resource"] == ["arn:aws:s3:::test-bucket-id/agent/*"]
    assert found["DecryptObjects"]["Action"] == ["kms:Decrypt"]
    assert found["DecryptObjects"]["Condition"] == THROUGH_S3


def test_what_a_member_may_do_besides(cluster):
    found = statements(cluster, "etcd-1")
    assert set(found) == {
        "Files",
        "Membership",
        "Report",
        "DecryptFiles",
        "Agent",
        "DecryptObjects",
        "Form",
        "Peers",
        "History",
        "Snapshot",
        "ThinOut",
        "Restore",
        "ListSnapshots",
        "EncryptSnapshots",
        "Metrics",
    }
    assert found["Form"]["Resource"] == [parameter_arn("/test/etcd/formation")]
    assert found["Peers"]["Action"] == ["ssm:GetParameters"]
    assert found["Peers"]["Resource"] == [parameter_arn("/test/nodes/etcd-*/status")]
    # A failed upload in parts is aborted by whoever began it.
    assert found["Snapshot"]["Action"] == ["s3:PutObject", "s3:AbortMultipartUpload"]
    assert found["Snapshot"]["Resource"] == ["arn:aws:s3:::test-bucket-id/snapshots/etcd-1/*"]
    # Any may lead and thin out; s3:DeleteObjectVersion would delete for good.
    assert found["ThinOut"]["Action"] == ["s3:DeleteObject"]
    assert found["ThinOut"]["Resource"] == ["arn:aws:s3:::test-bucket-id/snapshots/etcd-*/*"]
    assert found["Restore"]["Action"] == ["s3:GetObject"]
    assert found["Restore"]["Resource"] == ["arn:aws:s3:::test-bucket-id/snapshots/*"]
    assert found["ListSnapshots"]["Action"] == ["s3:ListBucket"]
    assert found["ListSnapshots"]["Resource"] == ["arn:aws:s3:::test-bucket-id"]
    assert found["ListSnapshots"]["Condition"] == {"StringLike": {"s3:prefix": "snapshots/*"}}
    assert found["EncryptSnapshots"]["Action"] == ["kms:GenerateDataKey"]
    assert found["EncryptSnapshots"]["Condition"] == THROUGH_S3
    assert found["Metrics"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "ha-kubernetes/test"}
    }


def test_no_role_can_touch_what_belongs_to_another_node(cluster):
    nodes = [*(n.removeprefix("test-") for n in (*ETCD, *API))]
    for node in nodes:
        text = cluster.of("RolePolicy")[f"test-{node}"]["policy"]
        for other in set(nodes) - {node}:
            assert f"/{other}/" not in text
        for statement in statements(cluster, node).values():
            assert all("*" not in action for action in statement["Action"])
            if statement["Resource"] == ["*"]:
                assert statement["Action"] == ["cloudwatch:PutMetricData"]
                assert statement["Condition"]


def test_an_instance_profile_waits_for_its_policy(cluster):
    for name, profile in cluster.registrations("InstanceProfile").items():
        assert cluster.urn("RolePolicy", name) in profile.dependencies
