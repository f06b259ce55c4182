"""Reading certificate requests: what kubelets send, and nothing else."""

import base64
import re
import shutil
import subprocess
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from node.cluster import der
from node.cluster.certificate_request import MOST, CertificateRequest, read
from tests.node.certificate_requests import (
    ADDRESS,
    COMMON_NAME,
    NAME,
    ORGANIZATION,
    kubelet_subject,
    pem,
)

GOOD = pem(kubelet_subject(NAME))
TEXT = st.text(min_size=1, max_size=16)
"""Names take 64 bytes at most (RFC 5280, upper bounds): four a character."""
DNS = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,40}[a-z0-9])?", fullmatch=True)
ADDRESSES = st.ip_addresses()


def test_a_kubelets_first_request():
    assert read(GOOD) == CertificateRequest(f"system:node:{NAME}", "system:nodes")


def test_the_key_is_that_of_who_asks():
    other = pem(kubelet_subject(NAME), key=ec.generate_private_key(ec.SECP256R1()))
    # A signature of ECDSA is another one each time.
    again = pem(kubelet_subject(NAME))
    assert again != GOOD
    assert read(again).public_key == read(GOOD).public_key
    assert read(other).public_key != read(GOOD).public_key


def test_what_is_much_too_long_is_not_looked_at():
    names = [x509.DNSName(f"{number}.{'a' * 60}") for number in range(300)]
    text = pem(kubelet_subject(NAME), *names)
    assert len(text) > MOST
    with pytest.raises(ValueError, match="characters"):
        read(text)


def test_a_kubelets_request_to_serve():
    text = pem(kubelet_subject(NAME), x509.DNSName(NAME), x509.IPAddress(ip_address(ADDRESS)))
    assert read(text) == CertificateRequest(
        f"system:node:{NAME}", "system:nodes", (NAME,), (ADDRESS,)
    )


@given(common_name=TEXT, organization=TEXT, dns=st.lists(DNS, max_size=3), ips=st.lists(ADDRESSES))
def test_it_reads_what_was_written(common_name, organization, dns, ips):
    names = (*(x509.DNSName(one) for one in dns), *(x509.IPAddress(one) for one in ips))
    text = pem([(COMMON_NAME, common_name), (ORGANIZATION, organization)], *names)
    assert read(text) == CertificateRequest(
        common_name, organization, tuple(dns), tuple(str(one) for one in ips)
    )


@pytest.mark.parametrize(
    "subject",
    [
        [],
        [(COMMON_NAME, "system:node:a")],
        [(ORGANIZATION, "system:nodes")],
        [*kubelet_subject("a"), (ORGANIZATION, "system:masters")],
        [*kubelet_subject("a"), (COMMON_NAME, "system:node:b")],
        [*kubelet_subject("a"), (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "b")],
    ],
)
def test_a_subject_of_another_form_is_refused(subject):
    with pytest.raises(ValueError, match="subject"):
        read(pem(subject))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (x509.RFC822Name("a@example.org"), "neither of DNS nor addresses"),
        (x509.UniformResourceIdentifier("spiffe://a"), "neither of DNS nor addresses"),
        (x509.RegisteredID(x509.ObjectIdentifier("1.2.3")), "neither of DNS nor addresses"),
    ],
)
def test_names_that_no_kubelet_has_are_refused(name, why):
    with pytest.raises(ValueError, match=why):
        read(pem(kubelet_subject(NAME), x509.DNSName(NAME), name))


@pytest.mark.parametrize("names", [(), (x509.DNSName(NAME),)])
def test_other_extensions_are_refused(names):
    authority = x509.BasicConstraints(ca=True, path_length=None)
    with pytest.raises(ValueError, match=r"extension besides|in the place of one"):
        read(pem(kubelet_subject(NAME), *names, extensions=[authority]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        GOOD + GOOD,
        "x\n" + GOOD,
        GOOD.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
        GOOD.replace("-----\n", "-----\nProc-Type: 4\n\n", 1),
        # Go skips a block that is damaged, and takes the next one.
        GOOD.replace("-----\n", "-----\n!", 1) + pem(kubelet_subject("other")),
    ],
)
def test_anything_but_one_block_is_refused(text):
    with pytest.raises(ValueError, match="PEM"):
        read(text)


@given(st.data())
def test_what_is_damaged_is_an_error_or_reads_as_it_does_elsewhere(data):
    """Two readers that both take it read the same."""
    body = re.sub(r"-----.*-----|\n", "", GOOD)
    binary = bytearray(base64.b64decode(body))
    for _ in range(data.draw(st.integers(1, 3))):
        binary[data.draw(st.integers(0, len(binary) - 1))] = data.draw(st.integers(0, 255))
    encoded = base64.b64encode(binary).decode()
    text = f"-----BEGIN CERTIFICATE REQUEST-----\n{encoded}\n-----END CERTIFICATE REQUEST-----\n"
    try:
        found, other = read(text), x509.load_pem_x509_csr(text.encode())
    except (ValueError, x509.InvalidVersion):
        # One of them refuses it: nobody gets a certificate.
        return
    assert [a.value for a in other.subject.get_attributes_for_oid(COMMON_NAME)] == [
        found.common_name
    ]
    assert [a.value for a in other.subject.get_attributes_for_oid(ORGANIZATION)] == [
        found.organization
    ]


@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_an_error(data):
    try:
        values = list(der.items(data))
    except ValueError:
        return
    assert b"".join(_encoded(*value) for value in values) == data


def _encoded(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no OpenSSL")
def test_a_request_of_openssl_is_read_too(tmp_path):
    command = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-batch"]
    command += ["-keyout", str(tmp_path / "key"), "-subj", f"/O=system:nodes/CN=system:node:{NAME}"]
    command += ["-addext", f"subjectAltName=DNS:{NAME},IP:{ADDRESS}"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert read(made).addresses == (ADDRESS,)
