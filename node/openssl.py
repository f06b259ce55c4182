"""OpenSSL's command on certificates: when they are valid, and who signed them."""

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path

from node.errors import NodeError
from node.machine import run

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


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
    told = run("openssl", "x509", "-noout", "-startdate", "-enddate", given=certificate).stdout
    start, end = (line.partition("=")[2] for line in told.splitlines())
    return _time(start), _time(end)


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def signed(leaf: Path, ca: Path) -> bool:
    """Whether a CA of a file signed the leaf, whatever the time; NodeError without OpenSSL."""
    alone = ("-no-CApath", "-no-CAstore", "-CAfile", str(ca))
    return run("openssl", "verify", "-no_check_time", *alone, str(leaf), ok=(0, 2)).returncode == 0


def public_key(private: Path) -> str:
    """The public half of a private key, in PEM; NodeError when it is none."""
    return run("openssl", "pkey", "-in", str(private), "-pubout").stdout
