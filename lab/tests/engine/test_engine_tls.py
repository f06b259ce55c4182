"""Keys, requests and certificates as pulumi-tls makes them, judged by another implementation."""

import ipaddress
import re
from datetime import UTC, datetime, timedelta

import pulumi_tls
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from lab.engine.model import RefusedError
from lab.engine.properties import UNKNOWN
from lab.engine.tls.tls_resources import RESOURCE_TYPES, ready_for_renewal, resource_type
from lab.engine.tls.usages import ALL_USAGES, EXTENDED_KEY_USAGES, extended_key_usage, key_usage

KEY, REQUEST, SELF, LOCAL = (
    RESOURCE_TYPES[f"tls:index/{name}"]
    for name in (
        "privateKey:PrivateKey",
        "certRequest:CertRequest",
        "selfSignedCert:SelfSignedCert",
        "locallySignedCert:LocallySignedCert",
    )
)


def make_key(algorithm="ECDSA", curve="P256", bits=2048):
    return KEY.make({"algorithm": algorithm, "ecdsaCurve": curve, "rsaBits": bits})[1]


def make_ca(key, **more):
    return SELF.make(
        {
            "privateKeyPem": key["privateKeyPem"],
            "isCaCertificate": True,
            "validityPeriodHours": 1000,
            "allowedUses": ["cert_signing", "crl_signing"],
            "subject": {"commonName": "ca"},
            **more,
        }
    )[1]


def make_leaf(ca_key, ca, key, **more):
    request = REQUEST.make(
        {
            "privateKeyPem": key["privateKeyPem"],
            "subject": {"commonName": "leaf", "organization": "system:masters"},
            "dnsNames": ["a.example", "*.b.example"],
            "ipAddresses": ["127.0.0.1", "::1"],
            "uris": ["spiffe://a/b"],
        }
    )[1]
    return LOCAL.make(
        {
            "certRequestPem": request["certRequestPem"],
            "caCertPem": ca["certPem"],
            "caPrivateKeyPem": ca_key["privateKeyPem"],
            "validityPeriodHours": 24,
            "allowedUses": ["digital_signature", "server_auth", "client_auth"],
            **more,
        }
    )[1]


def loaded(outputs):
    return x509.load_pem_x509_certificate(outputs["certPem"].encode())


@pytest.mark.parametrize(
    ("algorithm", "curve", "header"),
    [
        ("ECDSA", "P256", "EC PRIVATE KEY"),
        ("ECDSA", "P384", "EC PRIVATE KEY"),
        ("ECDSA", "P521", "EC PRIVATE KEY"),
        ("RSA", "P224", "RSA PRIVATE KEY"),
        ("ED25519", "P224", "PRIVATE KEY"),
    ],
)
def test_a_key_in_all_its_forms_is_one_key(algorithm, curve, header):
    outputs = make_key(algorithm, curve)
    assert outputs["privateKeyPem"].startswith(f"-----BEGIN {header}-----\n")
    assert outputs["privateKeyPemPkcs8"].startswith("-----BEGIN PRIVATE KEY-----\n")
    assert outputs["privateKeyPem"].endswith("-----\n")
    public = serialization.load_pem_public_key(outputs["publicKeyPem"].encode())
    for form in ("privateKeyPem", "privateKeyPemPkcs8"):
        private = serialization.load_pem_private_key(outputs[form].encode(), None)
        assert private.public_key() == public
    ssh = serialization.load_ssh_private_key(outputs["privateKeyOpenssh"].encode(), None)
    assert ssh.public_key() == public
    assert serialization.load_ssh_public_key(outputs["publicKeyOpenssh"].encode()) == public
    assert re.fullmatch(r"([0-9a-f]{2}:){15}[0-9a-f]{2}", outputs["publicKeyFingerprintMd5"])
    assert re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", outputs["publicKeyFingerprintSha256"])


def test_openssh_has_no_p224():
    outputs = make_key("ECDSA", "P224")
    assert outputs["publicKeyOpenssh"] == outputs["privateKeyOpenssh"] == ""


def test_two_keys_are_two_keys():
    assert make_key()["publicKeyPem"] != make_key()["publicKeyPem"]


def test_a_leaf_is_signed_by_its_authority_and_carries_what_was_asked_for():
    ca_key, key = make_key(), make_key()
    ca = make_ca(ca_key, maxPathLength=0)
    authority, leaf = loaded(ca), loaded(make_leaf(ca_key, ca, key))
    leaf.verify_directly_issued_by(authority)
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "*.b.example"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    ]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://a/b"]
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    subject = {a.oid: a.value for a in leaf.subject}
    assert subject == {NameOID.COMMON_NAME: "leaf", NameOID.ORGANIZATION_NAME: "system:masters"}
    linked = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert linked.key_identifier == own.digest


def test_key_identifiers_are_written_when_asked_for():
    key = make_key()
    plain = make_ca(key, isCaCertificate=False)
    with pytest.raises(x509.ExtensionNotFound):
        loaded(plain).extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    asked = make_ca(key, isCaCertificate=False, setSubjectKeyId=True, setAuthorityKeyId=True)
    extensions = loaded(asked).extensions
    own = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    linked = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert own.digest == linked.key_identifier


def test_validity_is_as_long_as_asked_for_and_written_in_rfc_3339():
    outputs = make_ca(make_key(), validityPeriodHours=48)
    certificate = loaded(outputs)
    length = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert length == timedelta(hours=48)
    assert datetime.fromisoformat(outputs["validityEndTime"]) == certificate.not_valid_after_utc
    assert datetime.fromisoformat(outputs["validityStartTime"]) == certificate.not_valid_before_utc
    assert outputs["readyForRenewal"] is False


def test_renewal_begins_early_hours_before_the_end():
    properties = {"validityEndTime": "2030-01-02T00:00:00Z", "earlyRenewalHours": 24}
    assert not ready_for_renewal(properties, datetime(2029, 12, 31, 23, 59, tzinfo=UTC))
    assert ready_for_renewal(properties, datetime(2030, 1, 1, tzinfo=UTC))


def test_a_key_that_is_not_the_authoritys_is_refused_without_showing_it():
    ca_key, other = make_key(), make_key()
    ca = make_ca(ca_key)
    with pytest.raises(RefusedError, match="not the key of caCertPem"):
        make_leaf(other, ca, make_key())
    with pytest.raises(RefusedError) as problem:
        make_leaf({"privateKeyPem": "CANARY"}, ca, make_key())
    assert "CANARY" not in str(problem.value)


@given(st.lists(st.sampled_from(sorted(ALL_USAGES)), unique=True))
def test_usages_are_exactly_those_asked_for(uses):
    plain = {"cert_signing": "key_cert_sign", "crl_signing": "crl_sign"}
    usage, extended = key_usage(uses), extended_key_usage(uses)
    assert list(extended or ()) == [
        EXTENDED_KEY_USAGES[use] for use in uses if use in EXTENDED_KEY_USAGES
    ]
    wanted = {use for use in uses if use not in EXTENDED_KEY_USAGES}
    assert (usage is None) == (not wanted)
    for use in wanted - {"encipher_only", "decipher_only"}:
        assert getattr(usage, plain.get(use, use))


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        (KEY, {"algorithm": "DSA"}, "algorithm"),
        (KEY, {"algorithm": "ECDSA", "ecdsaCurve": "P255"}, "ecdsaCurve"),
        (KEY, {}, "algorithm"),
        (KEY, {"algorithm": "RSA", "bits": 1}, "bits"),
        (
            SELF,
            {"privateKeyPem": "x", "validityPeriodHours": 1, "allowedUses": ["x"]},
            "allowedUses",
        ),
        (
            SELF,
            {"privateKeyPem": "x", "validityPeriodHours": -1, "allowedUses": []},
            "validityPeriodHours",
        ),
        (
            LOCAL,
            {
                "caCertPem": UNKNOWN,
                "certRequestPem": UNKNOWN,
                "validityPeriodHours": 1,
                "allowedUses": [],
            },
            "caPrivateKeyPem",
        ),
    ],
)
def test_bad_inputs_are_named_before_anything_is_made(kind, properties, expected):
    assert [at for at, _ in kind.problems(properties)] == [expected]


def test_what_is_known_only_later_is_no_problem():
    inputs = dict.fromkeys(LOCAL.required, UNKNOWN)
    assert LOCAL.problems(inputs) == []


@pytest.mark.parametrize("token", RESOURCE_TYPES)
def test_the_outputs_are_those_of_the_installed_sdk(token):
    cls = getattr(pulumi_tls, token.rpartition(":")[2])
    sdk = {
        getattr(member.fget, "_pulumi_name", name)
        for name, member in vars(cls).items()
        if isinstance(member, property)
    }
    kind = RESOURCE_TYPES[token]
    write_only = {name for name in sdk if "PemWo" in name}
    assert kind.required | kind.optional | kind.computed == sdk - write_only


def test_an_unknown_type_is_refused_by_name():
    with pytest.raises(RefusedError, match="tls:index/x:X"):
        resource_type("urn:pulumi:s::p::tls:index/x:X::name")
