"""When certificates expire, read from the certificates themselves with the standard library. Pure.

A certificate is nested DER elements (RFC 5280): Certificate, in it TBSCertificate, in that an
optional version, the serial number, the signature algorithm, the issuer, and then the validity.
"""

import re
import ssl
from datetime import UTC, datetime

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_VERSION = 0xA0
_UTC_TIME = 0x17


def expiry(pem: str) -> datetime:
    """When the first of the certificates in a text expires.

    ValueError when there is none, or one that is damaged.
    """
    try:
        return min(_not_after(ssl.PEM_cert_to_DER_cert(text)) for text in _CERTIFICATE.findall(pem))
    except IndexError as error:
        raise ValueError("not a certificate") from error


def _not_after(der: bytes) -> datetime:
    certificate = _elements(der)[0][1]
    fields = _elements(_elements(certificate)[0][1])
    before_validity = 4 if fields[0][0] == _VERSION else 3
    kind, text = _elements(fields[before_validity][1])[1]
    if kind == _UTC_TIME:
        # Two digits of the year, and 50 is 1950 (RFC 5280, 4.1.2.5.1); Python splits at 69.
        text = (b"19" if text >= b"50" else b"20") + text
    return datetime.strptime(text.decode(), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _elements(der: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element in a row; ValueError when the bytes are none."""
    found = []
    while der:
        if len(der) < 2:
            raise ValueError("truncated DER")
        tag, size, start = der[0], der[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[2:start], "big")
        if len(der) < start + size:
            raise ValueError("truncated DER")
        found.append((tag, der[start : start + size]))
        der = der[start + size :]
    return found
