"""Certificate requests for tests, as kubelets make them and as nobody should."""

import base64
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from node.contract import BOOTSTRAP_GROUP

NAME = "ip-10-0-1-7.eu-central-1.compute.internal"
ADDRESS = "10.0.1.7"
CLIENT_USAGES = ("digital signature", "client auth")
SERVING_USAGES = ("digital signature", "server auth")
KEY = ec.generate_private_key(ec.SECP256R1())

COMMON_NAME, ORGANIZATION = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME


def pem(
    subject: Sequence[tuple[x509.ObjectIdentifier, str]],
    *names: x509.GeneralName,
    extensions: Iterable[x509.ExtensionType] = (),
    key: ec.EllipticCurvePrivateKey = KEY,
) -> str:
    """A request, signed."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(kind, text) for kind, text in subject])
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def kubelet_subject(name: str) -> list[tuple[x509.ObjectIdentifier, str]]:
    return [(ORGANIZATION, "system:nodes"), (COMMON_NAME, f"system:node:{name}")]


def client_object(text: str, **spec: object) -> dict:
    """The CertificateSigningRequest of a worker that has a bootstrap token."""
    return _object(
        text,
        {
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "username": "system:bootstrap:abcdef",
            "groups": ["system:bootstrappers", BOOTSTRAP_GROUP, "system:authenticated"],
            "usages": list(CLIENT_USAGES),
            **spec,
        },
    )


def renewal_object(text: str, name: str = NAME, **spec: object) -> dict:
    """The CertificateSigningRequest of a kubelet that has a certificate, for its next one."""
    return client_object(
        text,
        **{
            "username": f"system:node:{name}",
            "groups": ["system:nodes", "system:authenticated"],
            **spec,
        },
    )


def serving_object(text: str, name: str = NAME, **spec: object) -> dict:
    """The CertificateSigningRequest of a kubelet that wants to serve."""
    return _object(
        text,
        {
            "signerName": "kubernetes.io/kubelet-serving",
            "username": f"system:node:{name}",
            "groups": ["system:nodes", "system:authenticated"],
            "usages": list(SERVING_USAGES),
            **spec,
        },
    )


def _object(text: str, spec: dict) -> dict:
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "node-csr-1"},
        "spec": {"request": base64.b64encode(text.encode()).decode(), **spec},
    }
