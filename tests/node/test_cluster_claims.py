"""Two who ask for one name: neither gets it, and nobody of before counts."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from node.cluster.claims import claims, objection, too_early
from node.cluster.worker_instances import WorkerInstance
from tests.node.certificate_requests import (
    ADDRESS,
    KEY,
    NAME,
    client_object,
    kubelet_subject,
    pem,
    renewal_object,
    serving_object,
)

LAUNCHED = datetime(2026, 11, 29, 12, 0, 30, 500000, tzinfo=UTC)
INSTANCE = WorkerInstance("i-0123456789abcdef0", NAME, ADDRESS, "eu-central-1a", LAUNCHED)
OTHER = ec.generate_private_key(ec.SECP256R1())


def request(name="csr-1", key=KEY, after=30, condition=None, node=NAME):
    """Made so many seconds after the launch."""
    made = (LAUNCHED + timedelta(seconds=after)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        **client_object(pem(kubelet_subject(node), key=key)),
        "metadata": {"name": name, "creationTimestamp": made},
        "status": {"conditions": [{"type": condition}]} if condition else {},
    }


def against(mine, *others):
    return objection(mine, claims([mine, *others]).get(NAME, ()), INSTANCE)


def test_alone_it_is_the_worker():
    assert against(request()) == ""
    # In the second of the launch.
    assert against(request(after=0)) == ""


@pytest.mark.parametrize("condition", [None, "Approved"])
@pytest.mark.parametrize("after", [0, 29, 31])
def test_another_key_for_the_name_speaks_against_both(condition, after):
    mine, other = request(), request("csr-2", OTHER, after, condition)
    reason = against(mine, other)
    assert "somebody else asked for this name" in reason
    assert "csr-2" in reason
    assert f"{INSTANCE.id} was only started again, terminate the instance" in reason
    assert "csr-1" in against(other, mine)


@pytest.mark.parametrize(
    "other",
    [
        request("csr-2"),
        request("csr-2", condition="Approved"),
        request("csr-2", OTHER, condition="Denied"),
        request("csr-2", OTHER, node="ip-10-0-1-8.eu-central-1.compute.internal"),
        request("csr-2", OTHER, node="*"),
        {**request("csr-2"), "spec": serving_object("")["spec"]},
        # Of whoever has a certificate of an earlier instance: it holds up nobody's joining.
        {**request("csr-2"), "spec": renewal_object(pem(kubelet_subject(NAME), key=OTHER))["spec"]},
        {**request("csr-2"), "spec": client_object("nonsense")["spec"]},
        {**request("csr-2"), "spec": client_object(pem([]), signerName="example.org/a")["spec"]},
    ],
)
def test_what_does_not_speak_against_it(other):
    """The same key again, which is a retry; what was denied; other names; what is none."""
    assert against(request(), other) == ""


def test_an_address_that_is_used_again_is_free_though_its_predecessor_joined_within_the_hour():
    assert against(request(), request("csr-0", OTHER, -1, "Approved")) == ""
    assert against(request(), request("csr-0", OTHER, -3000, "Approved")) == ""


def test_who_asks_before_the_instance_was_launched_is_somebody_else():
    """Whoever guesses the next address; and it counts not against the worker that has it then."""
    early = request("csr-0", OTHER, -5)
    assert "made before i-0123456789abcdef0" in against(early)
    assert against(request(), early) == ""


def test_what_is_older_than_the_instance_is_not_the_instances_whatever_is_in_it():
    for spec in (renewal_object("nonsense")["spec"], serving_object("nonsense")["spec"]):
        early, late = ({**request(after=seconds), "spec": spec} for seconds in (-1, 0))
        assert "made before i-0123456789abcdef0" in too_early(early, INSTANCE)
        assert too_early(late, INSTANCE) == ""


def test_a_reason_stays_short():
    many = [
        request(f"csr {number}\n", ec.generate_private_key(ec.SECP256R1())) for number in range(9)
    ]
    reason = against(request(), *many)
    assert "(csr%200%0A, csr%201%0A, csr%202%0A and 6 more)" in reason
