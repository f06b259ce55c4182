"""Certificates for tests: a CA and leaves, ECDSA P-256, as the program's PKI issues them."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


class Authority:
    """A certificate authority whose certificates pass the strict checks of Python 3.13."""

    def __init__(self, name: str, *, days: float = 1, starts: float = 0) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        self.pair = self._issue(
            self._name,
            self._key,
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (x509.KeyUsage(key_cert_sign=True, **usage), True),
            days=days,
            starts=starts,
        )

    def leaf(
        self,
        name: str,
        *addresses: str,
        group: str | None = None,
        days: float = 1,
        starts: float = 0,
    ) -> Pair:
        """A certificate for a server and client, expired when its days are negative.

        The group is Kubernetes's, an organization. `starts` is in days from now.
        """
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        names: list[x509.GeneralName] = [x509.IPAddress(ip_address(one)) for one in addresses]
        # A user of Kubernetes, such as system:kube-scheduler, is no name of a machine.
        names.append(x509.DNSName(name.replace(":", "-")))
        issuer = self._key.public_key()
        return self._issue(
            _name(name, group),
            ec.generate_private_key(ec.SECP256R1()),
            (x509.ExtendedKeyUsage(usages), False),
            (x509.SubjectAlternativeName(names), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False),
            days=days,
            starts=starts,
        )

    def server_context(self, name: str, *, days: float = 1) -> ssl.SSLContext:
        """What a server on loopback shows, by a certificate of this CA."""
        pair = self.leaf(name, "127.0.0.1", days=days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with NamedTemporaryFile("w") as chain:
            chain.write(pair.certificate + pair.key)
            chain.flush()
            context.load_cert_chain(chain.name)
        return context

    def _issue(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *extensions: tuple[x509.ExtensionType, bool],
        days: float = 1,
        starts: float = 0,
    ) -> Pair:
        now = datetime.now(UTC)
        expires = now + timedelta(days=days)
        # An hour ago: tests are not about the second that a certificate was made in.
        begins = now + timedelta(days=starts) if starts else min(now, expires) - timedelta(hours=1)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(expires)
            .add_extension(identifier, critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Pair(certificate.public_bytes(Encoding.PEM).decode(), _key_pem(key))


def _name(common_name: str, group: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if group:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def etcd_files(authority: Authority, name: str, address: str, *proxies: str) -> dict[str, str]:
    """The files of an etcd member; proxies where tests have them in place of 127.0.0.1."""
    server = authority.leaf(name, address, "127.0.0.1", *proxies)
    peer = authority.leaf("etcd-peer", address, "127.0.0.1")
    return {
        "ca.crt": authority.pair.certificate,
        "server.crt": server.certificate,
        "server.key": server.key,
        "peer.crt": peer.certificate,
        "peer.key": peer.key,
    }


def public_half(private: str) -> str:
    """The public key of a private key, as PEM."""
    key = load_pem_private_key(private.encode(), None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def api_files(authority: Authority) -> dict[str, str]:
    """The files of an API server."""
    service_account = authority.leaf("sa").key
    files = {
        "ca.crt": authority.pair.certificate,
        "ca.key": authority.pair.key,
        "etcd-ca.crt": authority.pair.certificate,
        "front-proxy-ca.crt": authority.pair.certificate,
        "sa.pub": public_half(service_account),
        "sa.key": service_account,
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
