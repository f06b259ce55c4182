"""Decisions about certificate requests: who gets a certificate, and who never does."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from node.cluster.approval import PATIENCE, Outcome, claimed_name, decide, pending
from node.cluster.worker_instances import WorkerInstance
from tests.node.certificate_requests import (
    ADDRESS,
    COMMON_NAME,
    NAME,
    ORGANIZATION,
    client_object,
    kubelet_subject,
    pem,
    serving_object,
)

REGION = "eu-central-1"
LAUNCHED = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)
INSTANCE = WorkerInstance("i-0123456789abcdef0", NAME, ADDRESS, "eu-central-1a", LAUNCHED)
CLIENT = pem(kubelet_subject(NAME))
SERVING = pem(kubelet_subject(NAME), x509.DNSName(NAME), x509.IPAddress(ip_address(ADDRESS)))


def node(provider_id):
    return {"metadata": {"name": NAME}, "spec": {"providerID": provider_id} if provider_id else {}}


def outcome(request, instance=INSTANCE, there=None, age=1.0):
    decision = decide(request, instance, there, age, REGION)
    return decision and decision.outcome


def test_the_first_certificate_of_an_instance_that_has_not_joined():
    assert claimed_name(client_object(CLIENT)) == NAME
    assert outcome(client_object(CLIENT)) is Outcome.APPROVE


def test_an_rsa_key_may_encipher_keys():
    usages = ["key encipherment", "digital signature", "client auth"]
    assert outcome(client_object(CLIENT, usages=usages)) is Outcome.APPROVE


def test_an_instance_that_ec2_does_not_show_yet_waits_and_is_refused_later():
    request = client_object(CLIENT)
    assert outcome(request, instance=None) is Outcome.WAIT
    assert outcome(request, instance=None, age=PATIENCE - 1) is Outcome.WAIT
    late = decide(request, None, None, PATIENCE, REGION)
    assert late.outcome is Outcome.DENY
    assert NAME in late.reason


def test_a_token_takes_no_nodes_place():
    decision = decide(client_object(CLIENT), INSTANCE, node(INSTANCE.provider_id), 1, REGION)
    assert decision.outcome is Outcome.DENY
    assert "delete the Node" in decision.reason


def test_the_node_of_an_instance_before_is_waited_for():
    before = node("aws:///eu-central-1b/i-0fedcba9876543210")
    assert outcome(client_object(CLIENT), there=before) is Outcome.WAIT


@pytest.mark.parametrize("provider", ["", "gce://project/zone/vm", "aws:///us-east-1a/i-01234567"])
def test_a_node_that_is_somebody_elses_keeps_its_name(provider):
    assert outcome(client_object(CLIENT), there=node(provider)) is Outcome.DENY


@pytest.mark.parametrize(
    "subject",
    [
        [(ORGANIZATION, "system:masters"), (COMMON_NAME, f"system:node:{NAME}")],
        [(ORGANIZATION, "system:nodes"), (COMMON_NAME, NAME)],
        [(ORGANIZATION, "system:nodes"), (COMMON_NAME, "ha-kubernetes:cluster-agent")],
        [*kubelet_subject(NAME), (ORGANIZATION, "system:masters")],
    ],
)
def test_a_token_gets_no_other_name_or_group(subject):
    assert outcome(client_object(pem(subject))) is Outcome.DENY


@pytest.mark.parametrize(
    "usages",
    [
        [],
        ["client auth"],
        ["digital signature", "client auth", "server auth"],
        ["digital signature", "server auth"],
        ["digital signature", "client auth", "cert sign"],
    ],
)
def test_a_token_gets_no_other_use(usages):
    assert outcome(client_object(CLIENT, usages=usages)) is Outcome.DENY


@pytest.mark.parametrize("request_text", ["", "nonsense", "é"])
def test_what_is_no_request_is_refused(request_text):
    assert outcome(client_object(request_text)) is Outcome.DENY


@pytest.mark.parametrize(
    "spec",
    [
        {"groups": ["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"]},
        {"groups": ["system:nodes"], "username": f"system:node:{NAME}"},
        {"groups": ["system:masters"]},
        {"signerName": "kubernetes.io/kube-apiserver-client"},
        {"signerName": "kubernetes.io/legacy-unknown"},
        {"signerName": "example.org/own"},
    ],
)
def test_what_others_ask_for_is_left_to_others(spec):
    request = client_object(CLIENT, **spec)
    assert claimed_name(request) is None
    assert outcome(request) is None


def test_a_kubelet_serves_as_its_instance():
    assert outcome(serving_object(SERVING)) is Outcome.APPROVE
    # Whether it has a Node, and when it asks, does not matter: its name is that of its certificate.
    assert outcome(serving_object(SERVING), there=node(INSTANCE.provider_id), age=1e6) is (
        Outcome.APPROVE
    )


def test_a_machine_that_is_no_worker_of_ours_is_left_alone():
    assert outcome(serving_object(SERVING), instance=None, age=1e6) is Outcome.WAIT
    assert outcome(serving_object("nonsense"), instance=None, age=1e6) is Outcome.WAIT


OTHERS = [
    (),
    (x509.DNSName(NAME),),
    (x509.IPAddress(ip_address(ADDRESS)),),
    (x509.DNSName("kubernetes.default.svc"), x509.IPAddress(ip_address(ADDRESS))),
    (x509.DNSName(NAME), x509.IPAddress(ip_address("10.0.1.8"))),
    (x509.DNSName(NAME), x509.DNSName("b"), x509.IPAddress(ip_address(ADDRESS))),
    (
        x509.DNSName(NAME),
        x509.IPAddress(ip_address(ADDRESS)),
        x509.IPAddress(ip_address("10.96.0.1")),
    ),
]


@pytest.mark.parametrize("names", OTHERS)
def test_a_kubelet_serves_under_no_other_name(names):
    request = serving_object(pem(kubelet_subject(NAME), *names))
    decision = decide(request, INSTANCE, None, 1, REGION)
    assert decision.outcome is Outcome.DENY
    if names:
        assert INSTANCE.id in decision.reason


def test_a_kubelet_gets_no_certificate_of_another():
    text = pem(kubelet_subject("other"), x509.DNSName(NAME), x509.IPAddress(ip_address(ADDRESS)))
    assert outcome(serving_object(text)) is Outcome.DENY


@pytest.mark.parametrize("name", ["*", "ip-10-0-1-?", "IP-10-0-1-7", "a/b", "a b", "é", "", "a\n"])
def test_a_name_that_no_node_has_goes_nowhere(name):
    request = client_object(pem(kubelet_subject(name)))
    assert not claimed_name(request)
    # At once, with EC2 unasked.
    assert outcome(request, instance=None) is Outcome.DENY
    assert claimed_name(serving_object(SERVING, name)) is None


def test_an_objection_speaks_against_a_first_certificate_alone():
    decision = decide(client_object(CLIENT), INSTANCE, None, 1, REGION, objection="two of them")
    assert (decision.outcome, decision.reason) == (Outcome.DENY, "two of them")
    waiting = decide(client_object(CLIENT), None, None, 1, REGION, objection="two of them")
    assert waiting.outcome is Outcome.WAIT


NAMES = st.sampled_from([NAME, "ip-10-0-1-8.eu-central-1.compute.internal", "api-0", ""])


@given(
    asked=NAMES,
    user=NAMES,
    organization=st.sampled_from(["system:nodes", "system:masters", "a"]),
    prefix=st.sampled_from(["system:node:", "", "system:"]),
    dns=st.lists(NAMES.filter(bool), max_size=2),
    addresses=st.lists(st.sampled_from([ADDRESS, "10.0.1.8", "10.96.0.1"]), max_size=2),
    usages=st.sets(st.sampled_from(["digital signature", "client auth", "server auth", "any"])),
    known=st.sampled_from([INSTANCE, None]),
    there=st.sampled_from([None, "", INSTANCE.provider_id, "aws:///eu-central-1a/i-0bbbbbbbbbbb"]),
    age=st.floats(0, 1e4),
    serving=st.booleans(),
)
def test_only_one_kind_of_each_is_ever_approved(
    *, asked, user, organization, prefix, dns, addresses, usages, known, there, age, serving
):
    names = (
        *(x509.DNSName(one) for one in dns),
        *(x509.IPAddress(ip_address(one)) for one in addresses),
    )
    text = pem([(ORGANIZATION, organization), (COMMON_NAME, f"{prefix}{asked}" or "-")], *names)
    request = (
        serving_object(text, user, usages=list(usages))
        if serving
        else client_object(text, usages=list(usages))
    )
    instance = known if claimed_name(request) == NAME else None
    decision = decide(request, instance, None if there is None else node(there), age, REGION)
    if decision is None or decision.outcome is not Outcome.APPROVE:
        return
    assert (prefix, asked, organization) == ("system:node:", NAME, "system:nodes")
    assert instance is INSTANCE
    if serving:
        assert (user, dns, addresses) == (NAME, [NAME], [ADDRESS])
        assert usages == {"digital signature", "server auth"}
    else:
        assert (dns, addresses, there) == ([], [], None)
        assert usages == {"digital signature", "client auth"}


def test_what_somebody_decided_is_not_pending():
    request = client_object(CLIENT)
    assert pending(request)
    assert pending({**request, "status": {}})
    for kind in ("Approved", "Denied", "Failed"):
        assert not pending({**request, "status": {"conditions": [{"type": kind}]}})
