"""Requests for certificates at the API, as kubelets make them, and whoever poses as one."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.proofs.joined_workers import read
from lab.proofs.lab_session import LabSession
from lab.proofs.tls import Answer, Identity, Server

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING = "kubernetes.io/kubelet-serving"
ANY_CLIENT = "kubernetes.io/kube-apiserver-client"
"""Signers: of a kubelet's own certificate, of the one that it serves with, of anybody's."""
_PURPOSE = {CLIENT: "client auth", SERVING: "server auth", ANY_CLIENT: "client auth"}


@dataclass(frozen=True)
class CertificateRequest:
    """A certificate that somebody would like to have."""

    common_name: str
    organization: str | None = "system:nodes"
    signer: str = CLIENT
    dns_names: Sequence[str] = ()
    addresses: Sequence[str] = ()

    @property
    def document(self) -> dict[str, Any]:
        """The request, with a key that nobody keeps."""
        return {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"generateName": "proof-"},
            "spec": {
                "request": base64.b64encode(_pem(self)).decode(),
                "signerName": self.signer,
                "usages": ["digital signature", _PURPOSE[self.signer]],
            },
        }


def _pem(request: CertificateRequest) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, request.common_name)]
    if request.organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, request.organization))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    names: list[x509.GeneralName] = [x509.DNSName(one) for one in request.dns_names]
    names += [x509.IPAddress(IPv4Address(one)) for one in request.addresses]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Requester:
    """Somebody at the API: with a certificate, or with a token."""

    server: Server
    identity: Identity | None = None
    token: str = ""

    def ask(
        self, path: str, *, method: str = "GET", document: Mapping[str, Any] | None = None
    ) -> Answer:
        """One request. Raises as Server.ask."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Content-Type": kind}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        body = None if document is None else json.dumps(document)
        return self.server.ask(path, self.identity, method=method, body=body, headers=headers)

    def request(self, request: CertificateRequest) -> str | None:
        """Ask for a certificate; the request's name, or None when the API takes no such request.

        Raises AssertionError for any other answer.
        """
        answer = self.ask(PATH, method="POST", document=request.document)
        if answer.status == 403:
            return None
        assert answer.status == 201, answer.body
        return str(json.loads(answer.body)["metadata"]["name"])


@dataclass(frozen=True)
class Verdict:
    """What became of a request."""

    certificate: str
    """In PEM; empty while there is none."""
    denied: str
    """The reason; empty while it is not denied."""

    @property
    def issued(self) -> bool:
        """Whether there is a certificate."""
        return bool(self.certificate)

    @property
    def life(self) -> timedelta:
        """How long the certificate is good for, from beginning to end."""
        found = x509.load_pem_x509_certificate(self.certificate.encode())
        return found.not_valid_after_utc - found.not_valid_before_utc


def verdict(session: LabSession, name: str) -> Verdict:
    """What became of a request so far. Raises AssertionError when the API does not answer."""
    found = read(session, f"{PATH}/{name}")
    assert found is not None, f"nobody answers for the request {name}"
    status = found.get("status", {})
    denied = [
        one.get("message") or one.get("reason") or "no reason"
        for one in status.get("conditions") or []
        if one["type"] == "Denied"
    ]
    certificate = base64.b64decode(status.get("certificate", "")).decode()
    return Verdict(certificate, denied[0] if denied else "")
