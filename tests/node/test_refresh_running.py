"""Certificates are renewed under real daemons, which go on running.

What a daemon reads again is shown both ways: expired certificates in its files break its new
connections; good ones, once refreshed, mend them. Nothing but new connections tells.
"""

import hashlib
import json
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from node import refresh
from node.errors import NodeError
from node.settings import PKI, parse
from tests.node.conftest import document, etcd, put_files
from tests.node.controlplane import ControlPlane
from tests.node.daemons import wait_until
from tests.node.doubles import FakeMachine
from tests.node.issued_certificates import etcd_files
from tests.node.relay import Relay


@pytest.fixture
def plane(tmp_path, etcd_binaries, kubernetes_binaries):
    plane = ControlPlane(tmp_path, etcd_binaries, kubernetes_binaries)
    yield plane
    plane.close()


@pytest.fixture
def renew(aws, monkeypatch):
    """Store a node's files and reconcile it; what that said."""

    def run(node, files):
        put_files(aws, node.name, files)
        monkeypatch.setenv("HA_NODE_ROOT", str(node.root))
        given = {"etcd": etcd(node.address)} if node.name.startswith("etcd") else {}
        return refresh.run(parse(document(node.name, **given)), FakeMachine())

    return run


def spoil(node, files):
    """Put files where the daemons read them; the program would refuse them."""
    tier = node.name.partition("-")[0]
    for name, content in files.items():
        path = node.inside(PKI[tier]) / name
        path.with_name("new").write_text(content)
        path.with_name("new").replace(path)


def shown(address, port):
    """The certificate that a server shows in a new handshake."""
    return x509.load_pem_x509_certificate(
        ssl.get_server_certificate((address, port), timeout=10).encode()
    )


def serial(pem):
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def pair(authority, file, name, *addresses, **options):
    leaf = authority.leaf(name, *addresses, **options)
    return {f"{file}.crt": leaf.certificate, f"{file}.key": leaf.key}


def pids(*nodes):
    return {(n.name, name): d.pid for n in nodes for name, d in n.daemons.items() if d.alive()}


def test_etcd_serves_and_uses_new_certificates_without_a_restart(plane, renew, etcd_binaries):
    nodes = plane.form(3)
    first, *others = nodes
    for node in nodes:
        renew(node, etcd_files(plane.keys.etcd, node.name, node.address))
    before = pids(*nodes)

    # What it serves, on both ports.
    files = etcd_files(plane.keys.etcd, first.name, first.address)
    assert renew(first, files) == ["wrote server.crt, server.key, peer.crt, peer.key"]
    assert shown(first.address, 2379).serial_number == serial(files["server.crt"])
    assert _peer_serial(first, others[0]) == serial(files["peer.crt"])

    # What it dials its peers with: expired, the first one starts in vain, for nobody gets
    # through to it, and it to nobody.
    for node in nodes:
        addresses = (node.address, "127.0.0.1")
        spoil(node, pair(plane.keys.etcd, "peer", "etcd-peer", *addresses, days=-1))
    first.daemons["etcd"].end()
    daemon = first.start(plane.initial(nodes))

    def refused():
        return b"certificate has expired" in daemon.log.read_bytes()

    wait_until(refused, "a peer is refused", daemon)
    assert not first.healthy()
    for node in nodes:
        renew(node, pair(plane.keys.etcd, "peer", "etcd-peer", node.address, "127.0.0.1"))
    wait_until(first.healthy, "the first member is back", daemon)
    assert all(node.healthy() for node in nodes)
    after = pids(*nodes)
    assert {key: after[key] for key in before if key[0] != first.name} == {
        key: pid for key, pid in before.items() if key[0] != first.name
    }


def _peer_serial(node, client):
    """What a member shows to a peer; without a peer's certificate it shows it as well."""
    context = ssl.create_default_context(cafile=str(client.inside(PKI["etcd"]) / "ca.crt"))
    pki = client.inside(PKI["etcd"])
    context.load_cert_chain(pki / "peer.crt", pki / "peer.key")
    with (
        socket.create_connection((node.address, 2380), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=node.address) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(shown).serial_number


@pytest.fixture(scope="module")
def served(tmp_path_factory, etcd_binaries, kubernetes_binaries):
    """A control plane with an API server, and the relay between that and etcd."""
    plane = ControlPlane(tmp_path_factory.mktemp("plane"), etcd_binaries, kubernetes_binaries)
    (member,) = plane.form(1)
    relay = Relay(f"{plane.network}.30", 2379, (member.address, 2379))
    try:
        plane.running_server(0, f"https://{plane.network}.30:2379")
        yield plane, relay
    finally:
        relay.close()
        plane.close()


def test_kube_apiserver_serves_and_uses_new_certificates_without_a_restart(served, renew):
    plane, relay = served
    (server,) = plane.servers
    files = plane.keys.api_files(server.name, server.address)
    before, daemon = pids(server), server.daemons["kube-apiserver"]
    assert renew(server, files)[0].startswith("wrote apiserver.crt, apiserver.key")
    wait_until(
        lambda: shown(server.address, 6443).serial_number == serial(files["apiserver.crt"]),
        "the new certificate is served",
        daemon,
    )

    admin = plane.client("admin", "system:masters")

    def reads():
        return _found(server, admin, "secrets?timeout=2s")

    assert reads()
    spoil(server, pair(plane.keys.etcd, "apiserver-etcd-client", server.name, days=-1))
    assert reads()
    relay.cut()
    wait_until(lambda: not reads(), "etcd refuses an expired certificate", daemon)
    renew(server, pair(plane.keys.etcd, "apiserver-etcd-client", server.name))
    wait_until(reads, "etcd accepts the new certificate", daemon)
    assert pids(server) == before


def test_controllers_use_new_certificates_without_a_restart(served, renew):
    plane, _ = served
    (server,) = plane.servers
    audit = server.inside("/var/log/kubernetes/audit.log")
    relay = Relay(server.address, 0, (server.address, 6443))
    try:
        for user in ("controller-manager", "scheduler"):
            path = server.inside(f"/etc/kubernetes/{user}.kubeconfig")
            path.write_text(path.read_text().replace(":6443", f":{relay.port}"))
        names = {"kube-controller-manager": "controller-manager", "kube-scheduler": "scheduler"}
        daemons = [server.start_leader(name) for name in names]
        files = plane.keys.api_files(server.name, server.address)
        for daemon, file in names.items():
            old = (server.inside(PKI["api"]) / f"{file}.crt").read_text()
            wait_until(lambda d=daemon, o=old: _used(audit, d, o), f"{daemon} is there", *daemons)
            assert not _used(audit, daemon, files[f"{file}.crt"])
        # While the controller-manager makes its controllers, a lost connection ends it. One of them
        # has made this account: they are all there.
        admin = plane.client("admin", "system:masters")
        made = "serviceaccounts/default"
        wait_until(lambda: _found(server, admin, made), "controllers run", *daemons)
        before = pids(server)
        renew(server, files)
        relay.cut()
        for daemon, file in names.items():
            new = files[f"{file}.crt"]
            wait_until(lambda d=daemon, n=new: _used(audit, d, n), f"{daemon} renewed", *daemons)
        assert pids(server) == before
    finally:
        relay.close()


def _found(server, client, what):
    """Whether the API server reads something of the default namespace from etcd."""
    try:
        server.call(client, "GET", f"/api/v1/namespaces/default/{what}")
    except NodeError:
        return False
    return True


def _used(audit, daemon, certificate):
    """Whether a daemon made a request with a certificate, as the audit log identifies it."""
    der = x509.load_pem_x509_certificate(certificate.encode()).public_bytes(Encoding.DER)
    wanted = f"X509SHA256={hashlib.sha256(der).hexdigest()}"
    for line in audit.read_text().splitlines() if audit.exists() else ():
        if wanted in line:
            event = json.loads(line)
            user = event["user"]
            if user["username"] == f"system:{daemon}" and wanted in str(user.get("extra")):
                return True
    return False
