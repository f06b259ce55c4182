"""Decisions about certificate requests: who gets a certificate, and who never does."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from hypothesis import event, given
from hypothesis import strategies as st

from node.cluster.approval import PATIENCE, Outcome, by_token, claimed_name, decide, pending
from node.cluster.worker_instances import WorkerInstance
from tests.node.certificate_requests import (
    ADDRESS,
    COMMON_NAME,
    NAME,
    ORGANIZATION,
    client_object,
    kubelet_subject,
    pem,
    renewal_object,
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
        {"groups": ["system:nodes"], "username": NAME},
        {"groups": ["system:authenticated"], "username": f"system:node:{NAME}"},
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


def test_a_kubelet_of_a_running_instance_renews_its_certificate():
    request = renewal_object(CLIENT)
    assert claimed_name(request) == NAME
    assert not by_token(request["spec"])
    # However long it waited: EC2 or the control plane was away.
    assert outcome(request, there=node(INSTANCE.provider_id), age=1e6) is Outcome.APPROVE


def test_what_ec2_does_not_show_as_running_renews_nothing():
    """A worker that has ended, or is about to, or that EC2 forgot for a moment; and a person's own
    machine, whose requests a denial would take from whoever approves them."""
    for there in (None, node(INSTANCE.provider_id), node("")):
        decision = decide(renewal_object(CLIENT), None, there, 1e6, REGION)
        assert decision.outcome is Outcome.WAIT
        assert NAME in decision.reason


def test_nothing_is_renewed_while_the_node_is_that_of_another_instance():
    before = node("aws:///eu-central-1a/i-0fedcba9876543210")
    decision = decide(renewal_object(CLIENT), INSTANCE, before, 1, REGION)
    assert decision.outcome is Outcome.DENY
    assert "i-0fedcba9876543210" in decision.reason
    assert outcome(renewal_object(CLIENT), there=node("")) is Outcome.DENY


def test_nothing_is_renewed_while_there_is_no_node():
    """Deleted by somebody, or not yet there: an instance that has not joined has no certificate."""
    assert outcome(renewal_object(CLIENT)) is Outcome.WAIT


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (pem(kubelet_subject("ip-10-0-1-8.eu-central-1.compute.internal")), {}),
        (pem([(ORGANIZATION, "system:masters"), (COMMON_NAME, f"system:node:{NAME}")]), {}),
        (pem(kubelet_subject(NAME), x509.DNSName(NAME)), {}),
        (CLIENT, {"usages": ["digital signature", "server auth"]}),
        ("nonsense", {}),
    ],
)
def test_a_kubelet_renews_no_other_name_group_or_use(text, changes):
    request = renewal_object(text, **changes)
    assert outcome(request, there=node(INSTANCE.provider_id)) is Outcome.DENY


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
    assert claimed_name(renewal_object(CLIENT, name)) is None


def test_an_objection_speaks_against_what_would_be_approved():
    own = node(INSTANCE.provider_id)
    for request, there in (
        (client_object(CLIENT), None),
        (renewal_object(CLIENT), own),
        (serving_object(SERVING), own),
    ):
        decision = decide(request, INSTANCE, there, 1, REGION, objection="two of them")
        assert (decision.outcome, decision.reason) == (Outcome.DENY, "two of them")
    waiting = decide(client_object(CLIENT), None, None, 1, REGION, objection="two of them")
    assert waiting.outcome is Outcome.WAIT


OTHER = "ip-10-0-1-8.eu-central-1.compute.internal"
MAKERS = {"first": client_object, "renewal": renewal_object, "serving": serving_object}


@st.composite
def requests(draw):
    """A kind of request, what is in it, and the request. Two things at most are not as a kubelet
    has them: of what is wrong all over nothing is ever approved."""
    kind = draw(st.sampled_from(list(MAKERS)))
    serving = kind == "serving"
    choices = {
        "asked": [NAME, OTHER, "api-0", ""],
        "user": [NAME, OTHER, ""],
        "organization": ["system:nodes", "system:masters", "a"],
        "prefix": ["system:node:", "", "system:"],
        "dns": [[NAME] if serving else [], [OTHER], [NAME, OTHER], [NAME], []],
        "addresses": [[ADDRESS] if serving else [], ["10.0.1.8"], [ADDRESS], []],
        "usages": [
            ["digital signature", "server auth" if serving else "client auth"],
            ["digital signature", "client auth", "server auth"],
            ["digital signature", "client auth" if serving else "server auth"],
            ["any"],
        ],
    }
    wrong = draw(st.sets(st.sampled_from(list(choices)), max_size=2))
    said = {
        what: draw(st.sampled_from(values)) if what in wrong else values[0]
        for what, values in choices.items()
    }
    names = (
        *(x509.DNSName(one) for one in said["dns"]),
        *(x509.IPAddress(ip_address(one)) for one in said["addresses"]),
    )
    subject = f"{said['prefix']}{said['asked']}" or "-"
    text = pem([(ORGANIZATION, said["organization"]), (COMMON_NAME, subject)], *names)
    given = {} if kind == "first" else {"name": said["user"]}
    return kind, said, MAKERS[kind](text, **given, usages=said["usages"])


@given(
    made=requests(),
    known=st.sampled_from([INSTANCE, None]),
    there=st.sampled_from([None, "", INSTANCE.provider_id, "aws:///eu-central-1a/i-0bbbbbbbbbbb"]),
    age=st.floats(0, 1e4),
)
def test_only_one_kind_of_each_is_ever_approved(made, known, there, age):
    kind, said, request = made
    instance = known if claimed_name(request) == NAME else None
    decision = decide(request, instance, None if there is None else node(there), age, REGION)
    if decision is None or decision.outcome is not Outcome.APPROVE:
        return
    event(f"approved {kind}")
    # In the name of an instance that runs, and no other.
    assert instance is INSTANCE
    own = ("system:node:", NAME, "system:nodes")
    assert (said["prefix"], said["asked"], said["organization"]) == own
    assert kind == "first" or said["user"] == NAME
    names = ([NAME], [ADDRESS]) if kind == "serving" else ([], [])
    assert (said["dns"], said["addresses"]) == names
    use = "server auth" if kind == "serving" else "client auth"
    assert said["usages"] == ["digital signature", use]
    if kind != "serving":
        assert there == (None if kind == "first" else INSTANCE.provider_id)


def test_what_somebody_decided_is_not_pending():
    request = client_object(CLIENT)
    assert pending(request)
    assert pending({**request, "status": {}})
    for kind in ("Approved", "Denied", "Failed"):
        assert not pending({**request, "status": {"conditions": [{"type": kind}]}})
