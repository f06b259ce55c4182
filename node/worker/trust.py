"""CA by which a worker knows the API servers, from its parameter."""

import ssl

from node import files
from node.aws import ParameterStore
from node.contract import KUBE_PROXY_UNIT, KUBELET_UNIT
from node.errors import NodeError
from node.settings import Settings


def fetch(settings: Settings) -> list[str]:
    """Bring ca.crt up to date; what was done. NodeError when the parameter is not to be had."""
    name, path = settings.parameters["ca"], settings.pki / "ca.crt"
    wanted = ParameterStore(settings.region).secret(name)
    before = files.read(path)
    if wanted == before:
        return []
    if not _is_certificate(wanted):
        raise NodeError(f"parameter {name} is no certificate: run pulumi up")
    files.write(path, wanted)
    if before is None:
        return ["wrote ca.crt"]
    # kubelet follows what it trusts clients by; what both trust the API server by, they read once.
    return [f"wrote ca.crt: systemctl restart {KUBELET_UNIT} {KUBE_PROXY_UNIT}"]


def lacking(settings: Settings) -> list[str]:
    """What keeps daemons from starting with the CA on disk; empty when nothing does."""
    text = files.read(settings.pki / "ca.crt")
    if not text:
        return ["ca.crt is missing"]
    return [] if _is_certificate(text) else ["ca.crt is damaged"]


def _is_certificate(text: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        return False
    return True
