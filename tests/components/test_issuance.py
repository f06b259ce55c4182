"""What is asked before a certificate is issued: this machine's clock, and the CA's end."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pulumi
import pytest

from components.gates.aws_reader import AwsAccessDeniedError
from components.pki.issuance import Issuance, IssuanceRefusedError
from tests.recording import SMALL, run_program

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CA = "-----BEGIN CERTIFICATE-----"


@pytest.fixture
def issue(deploy):
    """Call the hook of a certificate as the engine would, as often as there are `inputs`."""

    def issue(*inputs, ahead=timedelta(), ends=None, aws_time=None):
        async def program():
            issuance = Issuance(aws_time or (lambda: NOW), clock=lambda: NOW + ahead)
            assert issuance.know(CA, ends) == CA
            hook = issuance.binding.before_create[0]
            await asyncio.gather(
                *(
                    hook(
                        pulumi.ResourceHookArgs(
                            urn="", id="", name="test-etcd-0-peer", type="", new_inputs=new
                        )
                    )
                    for new in inputs
                )
            )

        deploy(lambda: pulumi.run(program), preview=True)

    return issue


def leaf(days, authority=CA):
    return {"caCertPem": authority, "validityPeriodHours": 24.0 * days}


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (timedelta(minutes=6), "6 minutes ahead of AWS's"),
        (timedelta(hours=-1), "60 minutes behind AWS's"),
        (timedelta(days=400), "576000 minutes ahead of AWS's"),
    ],
)
def test_nothing_is_signed_while_this_machines_clock_is_wrong(issue, ahead, says):
    with pytest.raises(IssuanceRefusedError, match=says) as error:
        issue(leaf(365), ahead=ahead)
    assert "set the clock, then run pulumi up again" in str(error.value)


@pytest.mark.parametrize("ahead", [timedelta(minutes=4), timedelta(minutes=-4)])
def test_a_clock_is_never_quite_right(issue, ahead):
    issue(leaf(365), ahead=ahead)


def test_aws_is_asked_once_for_all_certificates(issue):
    asked = []

    def aws_time():
        asked.append(1)
        return NOW

    issue(*[leaf(365)] * 20, aws_time=aws_time)
    assert len(asked) == 1


def test_a_time_that_aws_does_not_tell_is_a_warning(issue, caplog):
    def denied():
        raise AwsAccessDeniedError("AWS does not accept these credentials any more (ExpiredToken)")

    with caplog.at_level(logging.WARNING):
        issue(leaf(365), leaf(365), aws_time=denied)
    assert caplog.text.count("could not be compared with AWS's") == 1


@pytest.mark.parametrize("end", ["2027-01-31T12:00:00Z", "2027-01-31T13:00:00+01:00"])
def test_a_leaf_that_would_outlive_its_authority(issue, end):
    with pytest.raises(IssuanceRefusedError) as error:
        issue(leaf(365), ends=end)
    assert str(error.value).startswith(
        "pki.leafDays: the certificate test-etcd-0-peer would be valid for 365 days, and the "
        "authority that signs it for 64 more, until 2027-01-31: set it to at most 64"
    )
    issue(leaf(64), ends=end)


def test_an_authority_of_this_very_run_is_not_known_yet(issue):
    issue({"validityPeriodHours": 24 * 365.0}, ends="2026-12-01T00:00:00Z")
    issue(leaf(365, authority="another"), ends="2026-12-01T00:00:00Z")


def test_every_certificate_asks(cluster):
    for kind in ("SelfSignedCert", "LocallySignedCert"):
        for certificate in cluster.registrations(kind).values():
            assert certificate.hooks == (("before_create", "pki-issuance"),)


def test_the_end_of_an_authority_is_known_before_it_signs(monkeypatch):
    known = {}

    def know(_self, pem, ends):
        known[pem] = ends
        return pem

    monkeypatch.setattr(Issuance, "know", know)
    run_program(SMALL)
    assert known == {
        f"certificate test-{name}-ca": "2126-01-01T00:00:00Z"
        for name in ("kubernetes", "etcd", "front-proxy")
    }
