"""OpenSSL's command on certificates: when they are valid, and who signed them."""

import re
from datetime import datetime
from pathlib import Path

from node.errors import NodeError
from node.machine import run

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_TIME = re.compile(r"(UTC|GENERALIZED)TIME +:(\d+Z)$", re.MULTILINE)


def validity(pem: str) -> tuple[datetime, datetime]:
    """When all certificates of a text have become valid, and when the first of them expires.

    Raises NodeError when there is none, or a damaged one.
    """
    dates = [_dates(text) for text in _CERTIFICATE.findall(pem)]
    if not dates:
        raise NodeError("there is no certificate")
    starts, ends = zip(*dates, strict=True)
    return max(starts), min(ends)


def _dates(certificate: str) -> tuple[datetime, datetime]:
    # The validity is what a certificate has before any other time (RFC 5280, 4.1). "openssl x509"
    # names it, and takes five times as long: 52 ms against 10 ms, for every certificate of a node.
    times = _TIME.findall(run("openssl", "asn1parse", given=certificate).stdout)
    if len(times) < 2:
        raise NodeError("openssl failed: a certificate without a validity")
    start, end = (_time(*time) for time in times[:2])
    return start, end


def _time(kind: str, digits: str) -> datetime:
    # Years of two digits are those until 2049 (RFC 5280, 4.1.2.5.1); Python's own are until 2068.
    century = "" if kind == "GENERALIZED" else "20" if digits < "50" else "19"
    return datetime.strptime(f"{century}{digits}+0000", "%Y%m%d%H%M%SZ%z")


def signed(leaf: Path, ca: Path) -> bool:
    """Whether a CA of a file signed the leaf, whatever the time; NodeError without OpenSSL."""
    alone = ("-no-CApath", "-no-CAstore", "-CAfile", str(ca))
    return run("openssl", "verify", "-no_check_time", *alone, str(leaf), ok=(0, 2)).returncode == 0


def public_key(private: Path) -> str:
    """The public half of a private key, in PEM; NodeError when it is none."""
    return run("openssl", "pkey", "-in", str(private), "-pubout").stdout
