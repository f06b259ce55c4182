"""Subjects and alternative names."""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from lab.engine.model import RefusedError

SUBJECT: Final[Mapping[str, ObjectIdentifier]] = {
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "streetAddresses": NameOID.STREET_ADDRESS,
    "postalCode": NameOID.POSTAL_CODE,
    "commonName": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
}
"""The parts of a subject in the order in which Go writes them."""


def subject_name(subject: Mapping[str, Any] | None) -> x509.Name:
    """The distinguished name; raises RefusedError."""
    attributes = []
    for part, identifier in SUBJECT.items():
        value = (subject or {}).get(part)
        values = value if isinstance(value, list) else [value]
        try:
            attributes += [x509.NameAttribute(identifier, str(one)) for one in values if one]
        except ValueError as problem:
            message = f"subject.{part}: {problem}"
            raise RefusedError(message) from None
    return x509.Name(attributes)


def alternative_names(properties: Mapping[str, Any]) -> x509.SubjectAlternativeName | None:
    """The subject alternative names, or None if there is none; raises RefusedError."""
    names: list[x509.GeneralName] = []
    names += [_made(x509.DNSName, n, "dnsNames") for n in properties.get("dnsNames") or ()]
    names += [_address(one) for one in properties.get("ipAddresses") or ()]
    uris = properties.get("uris") or ()
    names += [_made(x509.UniformResourceIdentifier, uri, "uris") for uri in uris]
    return x509.SubjectAlternativeName(names) if names else None


def _address(text: str) -> x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        message = f"ipAddresses: {text!r} is not an IP address"
        raise RefusedError(message) from None


def _made(kind: Callable[[str], x509.GeneralName], value: str, where: str) -> x509.GeneralName:
    try:
        return kind(value)
    except ValueError:
        message = f"{where}: {value!r} must be ASCII text"
        raise RefusedError(message) from None
