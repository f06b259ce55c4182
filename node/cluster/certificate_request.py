"""Certificate request of a kubelet (PKCS #10, RFC 2986): who it is to be for. Pure.

Only what kubelets send is read. A request with anything else in it, such as a second extension or
an e-mail address, is refused as a whole. The API server has checked the signature when it took the
request (certificates/validation, validateCSR).
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from ipaddress import ip_address

from node.cluster import der

MOST = 16 * 1024
"""Characters of a request. A kubelet's has 500; with a key of RSA, 4096 bits, 2000."""

_PEM = re.compile(
    r"-----BEGIN CERTIFICATE REQUEST-----\n([A-Za-z0-9+/=\n]+)"
    r"\n-----END CERTIFICATE REQUEST-----\n?"
)
_COMMON_NAME = bytes.fromhex("550403")
_ORGANIZATION = bytes.fromhex("55040a")
_EXTENSIONS = bytes.fromhex("2a864886f70d01090e")
"""extensionRequest of RFC 2985."""
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_EXTENSION = [der.OBJECT_IDENTIFIER, der.OCTET_STRING]
_ATTRIBUTES = 0xA0
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
"""Tags in GeneralName (RFC 5280, 4.2.1.6)."""


@dataclass(frozen=True)
class CertificateRequest:
    """The subject, and the other names that the certificate is to have."""

    common_name: str
    organization: str
    dns_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    public_key: bytes = field(default=b"", compare=False, repr=False)
    """Content of the SubjectPublicKeyInfo (RFC 5280, 4.1.2.7): equal only for equal keys."""


def read(pem: str) -> CertificateRequest:
    """The request in a PEM. ValueError says what is in it that no kubelet asks for."""
    body = der.only(_binary(pem), der.SEQUENCE)
    parts = list(der.items(body))
    if [tag for tag, _ in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise ValueError("it is no certificate request")
    fields = list(der.items(parts[0][1]))
    if [tag for tag, _ in fields] != [der.INTEGER, der.SEQUENCE, der.SEQUENCE, _ATTRIBUTES]:
        raise ValueError("it is no certificate request")
    common_name, organization = _subject(fields[1][1])
    dns_names, addresses = _alternative_names(fields[3][1])
    return CertificateRequest(
        common_name, organization, dns_names, addresses, public_key=fields[2][1]
    )


def _binary(pem: str) -> bytes:
    if len(pem) > MOST:
        raise ValueError(f"it has more than {MOST} characters")
    # The first block counts, and one that is damaged is skipped (Go, encoding/pem): so the text
    # must be one block, and nothing else.
    block = _PEM.fullmatch(pem)
    if not block:
        raise ValueError("it is not one block of PEM")
    digits = block[1].replace("\n", "")
    try:
        binary = base64.b64decode(digits, validate=True)
    except binascii.Error as error:
        raise ValueError("it is not base64") from error
    if base64.b64encode(binary).decode() != digits:
        raise ValueError("it is not base64")
    return binary


def _subject(name: bytes) -> tuple[str, str]:
    found: list[tuple[bytes, str]] = []
    for part in der.items(name):
        for attribute in der.items(der.expect(part, der.SET)):
            kind, value = _pair(der.expect(attribute, der.SEQUENCE))
            found.append((der.expect(kind, der.OBJECT_IDENTIFIER), der.text(*value)))
    named = dict(found)
    if len(found) != 2 or named.keys() != {_COMMON_NAME, _ORGANIZATION}:
        raise ValueError("its subject is not one common name and one organization")
    return named[_COMMON_NAME], named[_ORGANIZATION]


def _pair(content: bytes) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    values = list(der.items(content))
    if len(values) != 2:
        raise ValueError(f"{len(values)} values in the place of two")
    return values[0], values[1]


def _alternative_names(attributes: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    dns_names, addresses = [], []
    for tag, content in _general_names(attributes):
        if tag == _DNS_NAME:
            dns_names.append(content.decode("ascii"))
        elif tag == _IP_ADDRESS:
            addresses.append(str(ip_address(content)))
        else:
            raise ValueError("it asks for names that are neither of DNS nor addresses")
    return tuple(dns_names), tuple(addresses)


def _general_names(attributes: bytes) -> list[tuple[int, bytes]]:
    if not attributes:
        return []
    kind, values = _pair(der.only(attributes, der.SEQUENCE))
    if der.expect(kind, der.OBJECT_IDENTIFIER) != _EXTENSIONS:
        raise ValueError("it has an attribute besides extensions")
    extensions = der.only(der.expect(values, der.SET), der.SEQUENCE)
    extension = list(der.items(der.only(extensions, der.SEQUENCE)))
    # Between the two may stand whether it is critical, which is the signer's to decide.
    if [tag for tag, _ in extension if tag != der.BOOLEAN] != _EXTENSION or len(extension) > 3:
        raise ValueError("it has an extension that is none")
    if extension[0][1] != _ALTERNATIVE_NAMES:
        raise ValueError("it asks for an extension besides other names")
    return list(der.items(der.only(der.expect(extension[-1], der.OCTET_STRING), der.SEQUENCE)))
