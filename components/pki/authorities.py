"""ClusterPki: three CAs, and the keys that every API server shares."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_tls as tls

from components.pki.certificates import Authority
from components.pki.issuance import Issuance

HOURS_PER_DAY = 24
HOURS_PER_YEAR = 365 * HOURS_PER_DAY


@dataclass(frozen=True, kw_only=True)
class ClusterPkiArgs:
    """What a ClusterPki is built from."""

    ca_years: int
    """Years that the CAs are valid."""
    issuance: Issuance
    """What must hold whenever a certificate is issued."""
    protect: bool
    """Refuse to delete what cannot be made again: without the seed of encryption at rest every
    snapshot is unreadable, and without the CAs every certificate is worthless."""


@dataclass(frozen=True)
class CertificateAuthority:
    """A CA's certificate, and the key that signs with it."""

    cert_pem: pulumi.Output[str]
    key_pem: pulumi.Output[str]
    """Secret."""
    issuing: pulumi.ResourceHookBinding
    """For every certificate that it signs."""


class ClusterPki(pulumi.ComponentResource):
    """The roots of trust. Nothing here changes when leaves are reissued."""

    authorities: Mapping[Authority, CertificateAuthority]
    """The CA of each trust domain."""
    service_account_key_pem: pulumi.Output[str]
    """Secret: the key that signs service account tokens, the same on every API server."""
    service_account_public_key_pem: pulumi.Output[str]
    """What verifies service account tokens."""
    encryption_seed_pem: pulumi.Output[str]
    """Secret: what the key of encryption at rest is derived from."""

    def __init__(
        self, name: str, args: ClusterPkiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:ClusterPki", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self, protect=args.protect)
        issuance = args.issuance

        def authority(domain: Authority) -> CertificateAuthority:
            authority_name = f"{name}-{domain}-ca"
            key = private_key(authority_name, child)
            certificate = tls.SelfSignedCert(
                authority_name,
                private_key_pem=key.private_key_pem,
                is_ca_certificate=True,
                allowed_uses=["cert_signing", "crl_signing", "digital_signature"],
                subject=tls.SelfSignedCertSubjectArgs(common_name=authority_name),
                set_subject_key_id=True,
                validity_period_hours=args.ca_years * HOURS_PER_YEAR,
                opts=pulumi.ResourceOptions(
                    parent=self, protect=args.protect, hooks=issuance.binding
                ),
            )
            return CertificateAuthority(
                # Whoever has the certificate to sign with has made its end known.
                pulumi.Output.all(certificate.cert_pem, certificate.validity_end_time).apply(
                    lambda known: issuance.know(*known)
                ),
                pulumi.Output.secret(key.private_key_pem),
                issuance.binding,
            )

        self.authorities = {
            "kubernetes": authority("kubernetes"),
            "etcd": authority("etcd"),
            "front-proxy": authority("front-proxy"),
        }
        service_account = private_key(f"{name}-service-account", child)
        self.service_account_key_pem = pulumi.Output.secret(service_account.private_key_pem)
        self.service_account_public_key_pem = service_account.public_key_pem
        seed = private_key(f"{name}-encryption-at-rest", child)
        self.encryption_seed_pem = pulumi.Output.secret(seed.private_key_pem)
        self.register_outputs({})


def private_key(name: str, opts: pulumi.ResourceOptions) -> tls.PrivateKey:
    """An ECDSA P-256 key: small enough for Parameter Store, fast to sign with."""
    return tls.PrivateKey(name, algorithm="ECDSA", ecdsa_curve="P256", opts=opts)
