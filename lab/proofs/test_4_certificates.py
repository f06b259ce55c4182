"""Proof 4: who has no valid certificate for the purpose is refused, by etcd and by API servers."""

import json
from dataclasses import replace

import pytest

from lab.proofs.bad_certificates import Usage, sign, stranger
from lab.proofs.kubernetes_api import Api, api
from lab.proofs.lab_session import LabSession
from lab.proofs.tls import Identity, RefusedError, Server
from lab.running.node_names import Node
from lab.running.probe import ETCD_PKI, KUBERNETES_PKI
from lab.running.stack import secret_outputs

ADMINISTRATORS = "system:masters"
PEERS = "etcd-peer"
PROTECTED = "/api/v1/namespaces"


@pytest.fixture(scope="module")
def authorities(session: LabSession) -> dict[str, Identity]:
    """The real CAs, `etcd` and `kubernetes`. Their keys are in Pulumi's state alone."""
    keys = secret_outputs(session.lab, "tls:index/privateKey:PrivateKey")
    certificates = secret_outputs(session.lab, "tls:index/selfSignedCert:SelfSignedCert")
    found = {}
    for ca in ("etcd", "kubernetes"):
        (name,) = (one for one in certificates if one.endswith(f"-{ca}-ca"))
        found[ca] = Identity(certificates[name]["certPem"], keys[name]["privateKeyPem"])
    return found


@pytest.fixture(scope="module")
def member(session: LabSession) -> Node:
    return session.nodes("etcd")[0]


@pytest.fixture(scope="module")
def clients_port(session: LabSession, member: Node, authorities: dict[str, Identity]) -> Server:
    """etcd's port for clients, from an API machine."""
    namespace = session.namespace(session.nodes("api")[0])
    address = str(member.instance.address)
    return Server(namespace, address, 2379, member.name, authorities["etcd"].certificate)


@pytest.fixture(scope="module")
def peers_port(session: LabSession, clients_port: Server) -> Server:
    """etcd's port for members, from another member."""
    return replace(clients_port, namespace=session.namespace(session.nodes("etcd")[1]), port=2380)


@pytest.fixture(scope="module")
def through(session: LabSession) -> Api:
    """The API through the load balancer."""
    return api(session.kubectl)


@pytest.fixture(scope="module")
def real_client(session: LabSession) -> Identity:
    """What an API server shows to etcd; good for a client only."""
    return _own(session, session.nodes("api")[0], f"{KUBERNETES_PKI}/apiserver-etcd-client")


def _own(session: LabSession, node: Node, path: str) -> Identity:
    certificate, key = (session.within(node, "cat", f"{path}.{end}") for end in ("crt", "key"))
    return Identity(certificate, key)


def bad_certificates(
    ca: Identity, name: str, organization: str | None
) -> dict[str, Identity | None]:
    """Everything that must be refused although it looks right otherwise."""
    return {
        "none": None,
        "expired": sign(ca, name, organization=organization, expired=True),
        "of another authority of the same name": sign(
            stranger(ca), name, organization=organization
        ),
        "for servers only": sign(
            ca, name, organization=organization, usage=Usage(client=False, server=True)
        ),
    }


def accepted(server: Server, identity: Identity | None, path: str) -> bool:
    """Whether a TLS server that insists on certificates lets somebody in."""
    try:
        return server.ask(path, identity).status == 200
    except RefusedError:
        return False


def test_etcd_refuses_clients_without_a_valid_certificate(
    clients_port: Server, authorities: dict[str, Identity], real_client: Identity
) -> None:
    assert accepted(clients_port, real_client, "/version")
    assert accepted(clients_port, sign(authorities["etcd"], "root"), "/version")
    for what, identity in bad_certificates(authorities["etcd"], "root", None).items():
        assert not accepted(clients_port, identity, "/version"), what


def test_etcd_refuses_certificates_of_the_clusters_authority(
    clients_port: Server, through: Api
) -> None:
    assert not accepted(clients_port, through.admin, "/version")


def test_etcd_refuses_peers_without_a_valid_certificate(
    session: LabSession, peers_port: Server, authorities: dict[str, Identity]
) -> None:
    assert accepted(
        peers_port, _own(session, session.nodes("etcd")[1], f"{ETCD_PKI}/peer"), "/members"
    )
    for what, identity in bad_certificates(authorities["etcd"], PEERS, None).items():
        assert not accepted(peers_port, identity, "/members"), what


def test_etcd_refuses_a_clients_certificate_as_a_peer(
    session: LabSession, peers_port: Server, member: Node, real_client: Identity
) -> None:
    assert not accepted(peers_port, real_client, "/members")
    # Not even the certificate that a member serves its clients with makes a peer.
    assert not accepted(peers_port, _own(session, member, f"{ETCD_PKI}/server"), "/members")


def test_an_api_server_refuses_clients_without_a_valid_certificate(
    through: Api, authorities: dict[str, Identity]
) -> None:
    ca = authorities["kubernetes"]
    assert through.ask(PROTECTED).status == 200
    valid = sign(ca, "somebody", organization=ADMINISTRATORS)
    assert through.server.ask(PROTECTED, valid).status == 200
    for what, identity in bad_certificates(ca, "somebody", ADMINISTRATORS).items():
        assert through.server.ask(PROTECTED, identity).status == 401, what


def test_an_api_server_refuses_certificates_that_are_for_clients_of_etcd(
    through: Api, real_client: Identity
) -> None:
    assert through.server.ask(PROTECTED, real_client).status == 401


def test_no_client_may_speak_for_others_as_the_front_proxy_does(
    session: LabSession, through: Api
) -> None:
    node = session.nodes("api")[0]
    manager = _own(session, node, f"{KUBERNETES_PKI}/controller-manager")
    claim = {"X-Remote-User": "admin", "X-Remote-Group": ADMINISTRATORS}
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = through.server.ask(
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        manager,
        method="POST",
        body=json.dumps(review),
        headers={"Content-Type": "application/json", **claim},
    )
    user = json.loads(answer.body)["status"]["userInfo"]
    assert user["username"] == "system:kube-controller-manager"
    assert ADMINISTRATORS not in user["groups"]


def test_anonymous_clients_see_health_and_nothing_else(through: Api) -> None:
    assert through.server.ask("/readyz").status == 200
    for path in ("/version", "/metrics", "/api", PROTECTED, "/openapi/v2"):
        assert through.server.ask(path).status == 401, path
