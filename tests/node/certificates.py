"""Certificates for tests: a CA and leaves, ECDSA P-256, as the program's PKI issues them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


class Authority:
    """A certificate authority."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pair = Pair(certificate.public_bytes(Encoding.PEM).decode(), _key_pem(self._key))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def leaf(self, name: str, *addresses: str) -> Pair:
        """A certificate for a server and client."""
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        names = [x509.IPAddress(ip_address(address)) for address in addresses]
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([*names, x509.DNSName(name)]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        return Pair(certificate.public_bytes(Encoding.PEM).decode(), _key_pem(key))


def etcd_files(authority: Authority, name: str, address: str) -> dict[str, str]:
    """The files of an etcd member."""
    server = authority.leaf(name, address, "127.0.0.1")
    peer = authority.leaf("etcd-peer", address, "127.0.0.1")
    return {
        "ca.crt": authority.pair.certificate,
        "server.crt": server.certificate,
        "server.key": server.key,
        "peer.crt": peer.certificate,
        "peer.key": peer.key,
    }


def api_files(authority: Authority) -> dict[str, str]:
    """The files of an API server."""
    files = {
        "ca.crt": authority.pair.certificate,
        "ca.key": authority.pair.key,
        "etcd-ca.crt": authority.pair.certificate,
        "front-proxy-ca.crt": authority.pair.certificate,
        "sa.pub": "public\n",
        "sa.key": authority.leaf("sa").key,
        "encryption.yaml": "kind: EncryptionConfiguration\n",
    }
    for name in (
        "apiserver",
        "apiserver-etcd-client",
        "apiserver-kubelet-client",
        "front-proxy-client",
        "controller-manager",
        "scheduler",
    ):
        pair = authority.leaf(name, "127.0.0.1")
        files |= {f"{name}.crt": pair.certificate, f"{name}.key": pair.key}
    return files
