"""The parts of proofs that judge: which endpoints are open, which certificates are bad, figures."""

import json
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from typing import get_args

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from components.network.addressing import plan_zones
from components.network.security_group_rules import ALL, ALL_TCP, Rule, Traffic, rules, tcp
from config import check
from lab.lab_errors import LabError
from lab.machines.lab_ca import lab_ca
from lab.proofs import guests
from lab.proofs.bad_certificates import Usage, sign, stranger
from lab.proofs.endpoints import Peer, open_to
from lab.proofs.expected_reachability import PORTS, Role, claims
from lab.proofs.figures import Figures
from lab.proofs.stack_settings import settings
from lab.proofs.tls import Identity
from lab.workspace import ROOT, Workspace

ETCD = Peer("etcd-0", IPv4Address("10.0.224.4"), "etcd")
OTHER = Peer("etcd-1", IPv4Address("10.0.224.21"), "etcd")
API = Peer("api-0", IPv4Address("10.0.0.4"), "api")
LOAD_BALANCER = Peer("balancer", IPv4Address("10.0.0.9"), "balancer")
STRANGER = Peer("stranger", IPv4Address("10.0.0.200"), None)
AWS = Peer("AWS", IPv4Address("198.18.0.10"), None)
PEERS = (ETCD, OTHER, API, LOAD_BALANCER, STRANGER, AWS)


def ways(port: int) -> set[tuple[str, str]]:
    table = rules(check({}, stack="local"))
    return {
        (source.name, target.name)
        for source in PEERS
        for target in PEERS
        if source != target and open_to(table, source, target, port)
    }


BOTH_FREE = {("stranger", "AWS"), ("AWS", "stranger")}


def test_the_endpoints_of_the_default_table():
    assert ways(2379) == BOTH_FREE | {("api-0", "etcd-0"), ("api-0", "etcd-1")}
    assert ways(2380) == BOTH_FREE | {("etcd-0", "etcd-1"), ("etcd-1", "etcd-0")}
    assert ways(6443) == BOTH_FREE | {
        ("balancer", "api-0"),
        ("stranger", "balancer"),
        ("api-0", "balancer"),
    }
    assert ways(22) == BOTH_FREE
    # Outwards, to whoever lets it in.
    assert ("etcd-0", "AWS") in ways(443)
    assert ("etcd-0", "api-0") not in ways(443)


def test_an_endpoint_needs_both_its_sides():
    leave = Rule("etcd", "egress", tcp(9), "api", "")
    enter = Rule("api", "ingress", tcp(9), "etcd", "")
    assert open_to([leave, enter], ETCD, API, 9)
    assert not open_to([leave], ETCD, API, 9)
    assert not open_to([enter], ETCD, API, 9)
    assert not open_to([leave, enter], API, ETCD, 9)


@pytest.mark.parametrize("traffic", [ALL, ALL_TCP, Traffic("tcp", 8, 10)])
def test_an_endpoint_may_be_one_of_many(traffic):
    leave = Rule("etcd", "egress", traffic, IPv4Network("10.0.0.0/24"), "")
    enter = Rule("api", "ingress", traffic, IPv4Network("10.0.224.0/24"), "")
    assert open_to([leave, enter], ETCD, API, 9)
    assert open_to([leave, enter], ETCD, API, 11) == (traffic.last != 10)
    assert not open_to([leave, enter], OTHER, ETCD, 9)


def test_every_role_is_asked_about_and_has_ports_that_are_closed():
    listed = list(claims())
    assert len({(claim.client, claim.server) for claim in listed}) == len(listed)
    assert {claim.client for claim in listed} | {claim.server for claim in listed} == {
        *get_args(Role)
    }
    assert all(claim.ports <= PORTS for claim in listed)
    strangers = {c.server: c.ports for c in listed if c.client == "stranger"}
    assert strangers == {
        "etcd": set(),
        "api": set(),
        "worker": set(),
        "balancer": {6443},
    }
    # Nobody but API servers and members reaches etcd.
    assert {c.client for c in listed if c.server == "etcd" and c.ports} == {"api", "etcd"}


def test_a_pod_has_an_address_of_the_subnet_that_its_cidr_lies_in(account, subnet):
    inside = next(subnet.cidr.subnets(new_prefix=subnet.cidr.prefixlen + 1))
    assert guests.subnet_of(account, inside) == subnet
    with pytest.raises(LabError, match=r"No subnet of the VPC holds 192\.0\.2\.0/24"):
        guests.subnet_of(account, IPv4Network("192.0.2.0/24"))


def test_the_pods_of_the_proofs_are_in_a_private_subnet_of_the_stack():
    network = settings(Workspace(ROOT, ROOT / ".lab")).network
    (cidr,) = network.worker_cidrs
    assert cidr.subnet_of(plan_zones(network.cidr, {"a": 0, "b": 1, "c": 2})[0].private)


def test_the_settings_are_those_of_the_stacks_file():
    found = settings(Workspace(ROOT, ROOT / ".lab"))
    assert found.cluster_name == "local"
    assert found.protect is False
    assert found.api.shutdown_delay == timedelta(seconds=15)


@pytest.fixture(scope="module")
def ca() -> Identity:
    """One whose key is known."""
    made = lab_ca()
    return stranger(Identity(made.certificate.decode(), ""))


def loaded(identity: Identity) -> x509.Certificate:
    return x509.load_pem_x509_certificate(identity.certificate.encode())


def uses(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_valid_certificate_differs_from_a_bad_one_in_one_thing(ca):
    issuer = loaded(ca)
    valid = loaded(sign(ca, "root", organization="masters"))
    expired = loaded(sign(ca, "root", organization="masters", expired=True))
    foreign = loaded(sign(stranger(ca), "root", organization="masters"))
    serving = loaded(sign(ca, "root", usage=Usage(client=False, server=True)))

    assert {one.subject for one in (valid, expired, foreign)} == {valid.subject}
    assert valid.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "masters"
    assert {one.issuer for one in (valid, expired, foreign, serving)} == {issuer.subject}
    valid.verify_directly_issued_by(issuer)
    expired.verify_directly_issued_by(issuer)
    serving.verify_directly_issued_by(issuer)
    with pytest.raises(InvalidSignature):
        foreign.verify_directly_issued_by(issuer)
    now = datetime.now(UTC)
    assert expired.not_valid_after_utc < now < valid.not_valid_after_utc
    assert uses(valid) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert uses(serving) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_an_identity_does_not_show_its_key(ca):
    assert "PRIVATE" in ca.key
    assert "PRIVATE" not in repr(ca)


def test_figures_are_kept_in_the_order_in_which_they_came(tmp_path):
    figures = Figures()
    figures.add("boot", "ready", 12.345)
    figures.add("memory", "lab", 3000, "MiB")
    figures.add("boot", "ready", 13.04)
    figures.save(tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text()) == [
        {"proof": "boot", "what": "ready", "value": 13.0, "unit": "s"},
        {"proof": "memory", "what": "lab", "value": 3000, "unit": "MiB"},
    ]
    assert figures.table().row_count == 2
