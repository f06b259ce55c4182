"""The membership as peers tell it."""

import json
import ssl
from contextlib import contextmanager
from dataclasses import replace

import pytest

from node.errors import NodeError
from node.etcd import peers
from node.etcd.members import Entry
from tests.node.doubles import Quiet, serve
from tests.node.issued_certificates import Authority, etcd_files

LIST = [{"id": 0x1F, "peerURLs": ["https://10.0.224.4:2380"], "name": "etcd-0", "clientURLs": []}]
READ = (Entry("1f", "etcd-0", "10.0.224.4", voter=True, started=False),)


@pytest.fixture
def settings(node, authority):
    settings = node("etcd-0")
    settings.pki.mkdir(parents=True)
    for name, content in etcd_files(authority, "etcd-0", "127.0.0.1").items():
        (settings.pki / name).write_text(content)
    return settings


@pytest.fixture
def peer(settings, monkeypatch):
    """A peer whose certificate a CA vouches for, and that answers as told."""

    @contextmanager
    def start(authority, body, status=200):
        class Peer(Quiet):
            def do_GET(self):
                self.reply(status if self.path == "/members" else 404, body)

        context = authority.server_context("etcd-peer")
        # As etcd does: nobody is told anything without a certificate of a peer.
        context.load_verify_locations(settings.pki / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        with serve(Peer, context) as port:
            monkeypatch.setattr("node.etcd.peers.PORT", port)
            yield

    return start


def test_the_first_peer_that_answers_is_believed(settings, peer, authority):
    with peer(authority, json.dumps(LIST).encode()):
        assert peers.membership(settings, ["127.0.0.1"]) == READ
        # Nobody listens at the first address.
        assert peers.membership(settings, ["127.0.0.77", "127.0.0.1"]) == READ
        assert peers.membership(settings, ["127.0.0.77"]) is None
        assert peers.membership(settings, []) is None


@pytest.mark.parametrize(
    "body", [b"", b"[{", b"null", b"3", b'"x"', b"[3]", b"[{}]", b'[{"id": 1, "peerURLs": []}]']
)
def test_an_answer_that_is_damaged_is_none(settings, peer, authority, body):
    with peer(authority, body):
        assert peers.membership(settings, ["127.0.0.1"]) is None


def test_a_refusal_is_none(settings, peer, authority):
    with peer(authority, json.dumps(LIST).encode(), status=500):
        assert peers.membership(settings, ["127.0.0.1"]) is None


def test_a_stranger_is_not_believed(settings, peer):
    with peer(Authority("another"), json.dumps(LIST).encode()):
        assert peers.membership(settings, ["127.0.0.1"]) is None


def test_a_member_answers_when_it_reads_through_a_leader(settings, authority, monkeypatch):
    class Peer(Quiet):
        status = 200

        def do_GET(self):
            self.reply(self.status if self.path == "/downgrade/enabled" else 404, b"false")

    silent = Entry("2f", "etcd-1", "127.0.0.77", voter=True, started=True)
    asked = [replace(READ[0], address="127.0.0.1"), silent]
    with serve(Peer, authority.server_context("etcd-peer")) as port:
        monkeypatch.setattr("node.etcd.peers.PORT", port)
        assert peers.answering(settings, asked) == {"1f"}
        Peer.status = 500
        assert peers.answering(settings, asked) == set()


def test_without_a_certificate_it_is_a_fault(settings):
    (settings.pki / "peer.key").unlink()
    with pytest.raises(NodeError, match=r"etcd/pki.*run ha-node prepare"):
        peers.membership(settings, ["127.0.0.1"])
