"""When certificates are valid, against a library that reads them in full."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import NodeError
from node.openssl import validity

KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(starts, ends, name="x"):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    signed = builder.sign(KEY, hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


# A year of two digits ends in 2049, and Python's own split of them in 2068.
times = st.datetimes(datetime(1951, 1, 1), datetime(9990, 12, 31))  # noqa: DTZ001  given a zone below


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(times, st.integers(0, 10**8)), min_size=1, max_size=3))
def test_all_certificates_of_a_file_count(spans):
    starts = [start.replace(microsecond=0, tzinfo=UTC) for start, _ in spans]
    ends = [
        start + timedelta(seconds=length) for start, (_, length) in zip(starts, spans, strict=True)
    ]
    pem = "comment\n".join(map(certificate, starts, ends))
    assert validity(pem) == (max(starts), min(ends))


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"]
)
def test_a_text_without_a_certificate_has_no_validity(text):
    with pytest.raises(NodeError, match="no certificate"):
        validity(text)


def test_a_damaged_certificate_is_an_error():
    with pytest.raises(NodeError, match="openssl failed"):
        validity("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
