"""Certificate requests and certificates, with the extensions that Go's crypto/x509 would write."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from lab.engine.model import RefusedError
from lab.engine.tls.keys import PrivateKey, parsed, signature_hash
from lab.engine.tls.subject_names import alternative_names, subject_name
from lab.engine.tls.usages import extended_key_usage, key_usage


def certificate_request(properties: Mapping[str, Any]) -> x509.CertificateSigningRequest:
    """A request signed by its own key; raises RefusedError."""
    key = parsed(properties["privateKeyPem"])
    builder = x509.CertificateSigningRequestBuilder(subject_name(properties.get("subject")))
    names = alternative_names(properties)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, signature_hash(key))


def self_signed(properties: Mapping[str, Any]) -> x509.Certificate:
    """A certificate signed by its own key; raises RefusedError."""
    key = parsed(properties["privateKeyPem"])
    name = subject_name(properties.get("subject"))
    builder = _template(properties, name, key.public_key())
    names = alternative_names(properties)
    if names is not None:
        builder = builder.add_extension(names, critical=not list(name))
    if properties.get("setAuthorityKeyId"):
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = builder.add_extension(authority, critical=False)
    return builder.issuer_name(name).sign(key, signature_hash(key))


def locally_signed(properties: Mapping[str, Any]) -> x509.Certificate:
    """A certificate for a request, signed by a certificate authority's key; raises RefusedError."""
    request = _parsed_request(properties["certRequestPem"])
    authority = parsed_certificate(properties["caCertPem"])
    key = parsed(properties["caPrivateKeyPem"])
    if authority.public_key() != key.public_key():
        message = "caPrivateKeyPem is not the key of caCertPem"
        raise RefusedError(message)
    builder = _template(properties, request.subject, request.public_key())
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = builder.add_extension(names, critical=not list(request.subject))
    except x509.ExtensionNotFound:
        pass
    identifier = _subject_key_identifier(authority)
    if identifier is not None and authority.subject != request.subject:
        linked = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        builder = builder.add_extension(linked, critical=False)
    return builder.issuer_name(authority.subject).sign(key, signature_hash(key))


def _template(
    properties: Mapping[str, Any], subject: x509.Name, public: CertificatePublicKeyTypes
) -> x509.CertificateBuilder:
    start = datetime.now(UTC).replace(microsecond=0)
    is_authority = bool(properties.get("isCaCertificate"))
    length = properties.get("maxPathLength") if is_authority else None
    uses = properties.get("allowedUses") or ()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(hours=properties["validityPeriodHours"]))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=length), critical=True)
    )
    usage, extended = key_usage(uses), extended_key_usage(uses)
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    if extended is not None:
        builder = builder.add_extension(extended, critical=False)
    if is_authority or properties.get("setSubjectKeyId"):
        identifier = x509.SubjectKeyIdentifier.from_public_key(public)
        builder = builder.add_extension(identifier, critical=False)
    return builder


def parsed_certificate(pem: str) -> x509.Certificate:
    """A certificate from PEM; raises RefusedError."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        message = "the certificate is not in PEM form"
        raise RefusedError(message) from None


def _parsed_request(pem: str) -> x509.CertificateSigningRequest:
    try:
        return x509.load_pem_x509_csr(pem.encode())
    except ValueError:
        message = "the certificate request is not in PEM form"
        raise RefusedError(message) from None


def _subject_key_identifier(certificate: x509.Certificate) -> x509.SubjectKeyIdentifier | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return found.value


def pem(document: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """The document in PEM form."""
    return document.public_bytes(serialization.Encoding.PEM).decode()


def signing_key(properties: Mapping[str, Any]) -> PrivateKey:
    """The key that signs what the properties describe; raises RefusedError."""
    return parsed(properties.get("caPrivateKeyPem") or properties["privateKeyPem"])
