"""Probes of ports in a real namespace, behind real rules; TLS from there."""

import contextlib
import socket
import ssl
import threading

import pytest

from lab.machines import requirements
from lab.machines.host_programs import run
from lab.machines.lab_ca import lab_ca
from lab.machines.lab_names import Names
from lab.machines.network import namespaces
from lab.proofs.bad_certificates import sign, stranger
from lab.proofs.port_probe import probe_ports
from lab.proofs.tls import Answer, Identity, RefusedError, Server

pytestmark = pytest.mark.daemons

RULES = """\
table inet proof {
  chain input {
    type filter hook input priority filter; policy accept;
    tcp dport 81 drop
  }
  chain output {
    type filter hook output priority filter; policy accept;
    tcp dport 83 drop
  }
}
"""
HERE = "127.0.0.1"


@pytest.fixture
def namespace(tmp_path):
    if reason := requirements.problem():
        pytest.skip(reason)
    name = Names.of(tmp_path).router
    namespaces.create(name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        namespaces.load_rules(name, RULES)
        yield name
    finally:
        namespaces.delete(name)


def test_an_endpoint_is_open_where_somebody_answers(namespace):
    with namespaces.listener(namespace, HERE, 80):
        found = probe_ports(namespace, [(HERE, port) for port in (80, 81, 82, 83)])
    # Nobody listens on 82: the refusal comes from the other side of the firewall.
    assert found == {(HERE, 80): True, (HERE, 81): False, (HERE, 82): True, (HERE, 83): False}


def test_no_way_is_no_endpoint(namespace):
    with pytest.raises(OSError, match=r"10\.9\.9\.9"):
        probe_ports(namespace, [("10.9.9.9", 80)])


@pytest.fixture
def trusted() -> Identity:
    made = lab_ca()
    return Identity(made.certificate.decode(), made.key.decode())


@pytest.fixture
def server(namespace, trusted, tmp_path):
    """Answers on port 80 to those whose certificate the lab's CA signed."""
    files = tmp_path / "server.pem", tmp_path / "ca.pem"
    files[0].write_bytes(lab_ca().issue(("lab.test",)))
    files[1].write_text(trusted.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(files[1]))
    context.load_cert_chain(files[0])
    context.verify_mode = ssl.CERT_REQUIRED
    listener = namespaces.listener(namespace, HERE, 80)

    def serve():
        while True:
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                with raw, context.wrap_socket(raw, server_side=True) as secured:
                    secured.recv(4096)
                    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    thread = threading.Thread(target=serve)
    thread.start()
    yield Server(namespace, HERE, 80, "lab.test", trusted.certificate)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_certificate_decides_who_gets_an_answer(server, trusted):
    assert server.ask("/", sign(trusted, "somebody")) == Answer(200, "ok")
    for refused in (
        None,
        sign(trusted, "somebody", expired=True),
        sign(stranger(trusted), "somebody"),
    ):
        with pytest.raises(RefusedError):
            server.ask("/", refused)


def test_nobody_at_the_endpoint_is_no_refusal(server, trusted):
    away = Server(server.namespace, HERE, 82, server.name, server.ca)
    with pytest.raises(ConnectionRefusedError):
        away.ask("/", sign(trusted, "somebody"))
