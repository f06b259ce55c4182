"""LeafCertificate: a private key, and the certificate that a CA signed for it."""

from dataclasses import dataclass

import pulumi
import pulumi_tls as tls

from components.pki.authorities import HOURS_PER_DAY, CertificateAuthority, private_key
from components.pki.certificates import CertificateSpec
from config.cluster_settings import PkiSettings


@dataclass(frozen=True, kw_only=True)
class LeafCertificateArgs:
    """What a LeafCertificate is built from."""

    spec: CertificateSpec
    """Names and usages."""
    ca: CertificateAuthority
    """Who signs."""
    lifetime: PkiSettings
    """Days of validity, and the epoch: another one is another key and another certificate."""


class LeafCertificate(pulumi.ComponentResource):
    """A leaf certificate, never allowed to sign others."""

    cert_pem: pulumi.Output[str]
    """The certificate."""
    key_pem: pulumi.Output[str]
    """Secret: its private key."""

    def __init__(
        self, name: str, args: LeafCertificateArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:LeafCertificate", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        reissued = pulumi.ResourceOptions(parent=self, replacement_trigger=args.lifetime.epoch)
        spec = args.spec
        key = private_key(name, reissued)
        request = tls.CertRequest(
            name,
            private_key_pem=key.private_key_pem,
            subject=tls.CertRequestSubjectArgs(
                common_name=spec.common_name, organization=spec.organization
            ),
            dns_names=list(spec.dns_names) or None,
            ip_addresses=list(spec.addresses) or None,
            opts=child,
        )
        certificate = tls.LocallySignedCert(
            name,
            cert_request_pem=request.cert_request_pem,
            ca_cert_pem=args.ca.cert_pem,
            ca_private_key_pem=args.ca.key_pem,
            allowed_uses=list(spec.uses),
            is_ca_certificate=False,
            set_subject_key_id=True,
            validity_period_hours=args.lifetime.leaf_days * HOURS_PER_DAY,
            opts=pulumi.ResourceOptions(parent=self, hooks=args.ca.issuing),
        )
        self.cert_pem = certificate.cert_pem
        self.key_pem = pulumi.Output.secret(key.private_key_pem)
        self.register_outputs({})
