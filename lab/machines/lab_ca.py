"""The lab's certificate authority: its machines trust it, so the AWS endpoints and download hosts
of the lab answer with certificates under their real names."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.engine.cache import cache_directory, published

YEARS = timedelta(days=3650)
BACKDATED = timedelta(hours=1)
"""Clocks differ."""


@dataclass(frozen=True)
class CertificateAuthority:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    def issue(self, names: tuple[str, ...]) -> bytes:
        """Key and certificate of a server with these DNS names, in PEM, the certificate first."""
        ca = x509.load_pem_x509_certificate(self.certificate)
        signer = serialization.load_pem_private_key(self.key, password=None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)  # noqa: S101 - made below
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(names[0], key)
            .issuer_name(ca.subject)
            .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
                critical=False,
            )
            .sign(signer, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM) + _pem(key)


def lab_ca() -> CertificateAuthority:
    """The lab's authority of this user, made once and kept in the cache: images trust it."""
    directory = published(cache_directory() / "authority", _make)
    return CertificateAuthority(
        (directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes()
    )


def _make(directory: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder("ha-kubernetes lab", key)
    certificate = (
        builder.issuer_name(x509.Name([_common_name("ha-kubernetes lab")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = directory / "ca.key"
    secret.touch(mode=0o600)
    secret.write_bytes(_pem(key))


def _builder(name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([_common_name(name[:64])]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + YEARS)
    )


def _common_name(name: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
