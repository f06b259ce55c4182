"""An admission webhook in a pod: agnhost's, which gives what it is asked about a label."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.proofs.lab_session import LabSession
from lab.proofs.tls import Identity

NAME = "hook"
LABEL = "added-label"
"""What the webhook gives."""
CHOICE = "proof-webhook"
"""Label of the objects that are asked about."""
PORT = 8443
_SECRET = "/certificate"  # noqa: S105 - a directory


@contextmanager
def webhook(session: LabSession, namespace: str, image: str) -> Iterator[None]:
    """Have the API ask a pod about ConfigMaps of a namespace that bear CHOICE, and fail without it.

    Raises LabError when Kubernetes refuses something.
    """
    kubectl = session.kubectl
    # Of the whole cluster: it goes however the proof ends, and what a killed proof left goes first.
    remove = ("delete", "mutatingwebhookconfiguration", f"{namespace}-{NAME}", "--ignore-not-found")
    kubectl.output(*remove)
    try:
        for document in documents(namespace, image):
            kubectl.output("apply", "--filename=-", stdin=json.dumps(document))
        yield
    finally:
        kubectl.output(*remove)


def documents(namespace: str, image: str) -> list[dict[str, Any]]:
    """The objects: a key, a pod, a Service, and who is to ask. The configuration comes last."""
    identity = certificate(f"{NAME}.{namespace}.svc")
    metadata = {"name": NAME, "namespace": namespace, "labels": {"app": NAME}}
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": identity.certificate, "tls.key": identity.key},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod(image)},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": {"app": NAME}, "ports": [{"port": 443, "targetPort": PORT}]},
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": f"{namespace}-{NAME}"},
            "webhooks": [_asked(namespace, identity)],
        },
    ]


def certificate(name: str) -> Identity:
    """A certificate for a name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Identity(made.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _pod(image: str) -> dict[str, Any]:
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": NAME,
                "image": image,
                "args": [
                    "webhook",
                    f"--port={PORT}",
                    f"--tls-cert-file={_SECRET}/tls.crt",
                    f"--tls-private-key-file={_SECRET}/tls.key",
                ],
                "readinessProbe": {
                    "httpGet": {"path": "/readyz", "port": PORT, "scheme": "HTTPS"},
                    "periodSeconds": 1,
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "key", "mountPath": _SECRET, "readOnly": True}],
            }
        ],
        "volumes": [{"name": "key", "secret": {"secretName": NAME}}],
    }


def _asked(namespace: str, identity: Identity) -> dict[str, Any]:
    bundle = base64.b64encode(identity.certificate.encode()).decode()
    service = {"name": NAME, "namespace": namespace, "path": "/add-label", "port": 443}
    return {
        "name": f"{NAME}.{namespace}.svc",
        "clientConfig": {"service": service, "caBundle": bundle},
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["configmaps"],
            }
        ],
        # The namespace's own name is a label of it (kubernetes.io/metadata.name).
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "objectSelector": {"matchLabels": {CHOICE: "yes"}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 10,
        "admissionReviewVersions": ["v1"],
    }
