"""CA of the lab: its machines trust it, so the AWS endpoints and download hosts of the lab answer
with certificates under their real names."""

from dataclasses import dataclass
from pathlib import Path

import trustme

from lab.engine.cache import cache_directory, published


@dataclass(frozen=True)
class CertificateAuthority:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    def issue(self, names: tuple[str, ...]) -> bytes:
        """Key and certificate of a server with these DNS names, in PEM, the certificate first."""
        ca = trustme.CA.from_pem(self.certificate, self.key)
        made = ca.issue_cert(*names, common_name=names[0][:64])
        return made.cert_chain_pems[0].bytes() + made.private_key_pem.bytes()


def lab_ca() -> CertificateAuthority:
    """The lab's CA of this user, made once and kept in the cache: images trust it."""
    return read(published(cache_directory() / "authority", make))


def read(directory: Path) -> CertificateAuthority:
    """The CA of a directory."""
    return CertificateAuthority(
        (directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes()
    )


def make(directory: Path) -> None:
    """Make a CA; only its owner may read its key."""
    ca = trustme.CA(organization_name="ha-kubernetes lab", path_length=0)
    (directory / "ca.crt").write_bytes(ca.cert_pem.bytes())
    secret = directory / "ca.key"
    secret.touch(mode=0o600)
    secret.write_bytes(ca.private_key_pem.bytes())
