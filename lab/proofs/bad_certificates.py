"""Certificates that must not be accepted."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.proofs.tls import Identity

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Usage:
    """What a certificate is for."""

    client: bool = True
    server: bool = False


def sign(
    ca: Identity,
    name: str,
    *,
    organization: str | None = None,
    usage: Usage = Usage(),
    expired: bool = False,
) -> Identity:
    """A certificate by a CA; an expired one ended an hour ago."""
    now = datetime.now(UTC)
    ends = now - timedelta(hours=1) if expired else now + DAY
    signer = serialization.load_pem_private_key(ca.key.encode(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(ca.certificate.encode())
    return _certificate(_name(name, organization), issuer.subject, signer, (now - DAY, ends), usage)


def stranger(like: Identity) -> Identity:
    """A CA that has the name of another one, and another key."""
    subject = x509.load_pem_x509_certificate(like.certificate.encode()).subject
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        _builder(subject, subject, key, (now - DAY, now + DAY))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _identity(certificate, key)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    valid: tuple[datetime, datetime],
    usage: Usage,
) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH] * usage.client
    uses += [ExtendedKeyUsageOID.SERVER_AUTH] * usage.server
    certificate = (
        _builder(subject, issuer, key, valid)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _identity(certificate, key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    valid: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )


def _name(common: str, organization: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _identity(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Identity:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Identity(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())
