"""The expiry of certificates, against a library that reads them in full."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from node.certificates import expiry

KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(ends, name="x"):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(1950, 1, 1, tzinfo=UTC))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    signed = builder.sign(KEY, hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


times = st.datetimes(datetime(1951, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001  given a zone below


@settings(max_examples=50)
@given(st.lists(times, min_size=1, max_size=3), st.text("abcxyz", min_size=1, max_size=64))
def test_the_first_to_expire_of_a_file_counts(ends, name):
    wanted = [end.replace(microsecond=0, tzinfo=UTC) for end in ends]
    pem = "comment\n".join(certificate(end, name) for end in wanted)
    assert expiry(pem) == min(wanted)


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"]
)
def test_a_text_without_a_certificate_has_no_expiry(text):
    with pytest.raises(ValueError, match="empty"):
        expiry(text)


@given(st.binary(max_size=200))
def test_what_is_no_certificate_is_an_error(content):
    with pytest.raises(ValueError, match=r"DER|certificate|time data|decode|unconverted"):
        expiry(ssl.DER_cert_to_PEM_cert(content))


GOOD = ssl.PEM_cert_to_DER_cert(certificate(datetime(2030, 1, 1, tzinfo=UTC)))


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_damaged_certificate_is_an_error_or_another_time(place, flipped):
    damaged = bytearray(GOOD)
    damaged[place] ^= flipped
    with suppress(ValueError):
        assert isinstance(expiry(ssl.DER_cert_to_PEM_cert(bytes(damaged))), datetime)
