"""The Kubernetes API through the load balancer, a connection per request: what a client outside of
the cluster gets."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import yaml

from lab.machines.host_programs import run
from lab.proofs.tls import SECONDS, Answer, Identity, Server
from lab.running.kubectl_runner import Kubectl


@dataclass(frozen=True)
class Api:
    """The API as a kubeconfig describes it."""

    server: Server
    admin: Identity

    def ask(
        self, path: str, *, method: str = "GET", document: dict[str, Any] | None = None
    ) -> Answer:
        """As the administrator. Raises as Server.ask."""
        body = None if document is None else json.dumps(document)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return self.server.ask(
            path, self.admin, method=method, body=body, headers={"Content-Type": kind}
        )


def api(kubectl: Kubectl, patience: float = SECONDS) -> Api:
    """The API, from the place and with the kubeconfig of a kubectl.

    A request fails after `patience` seconds without a word.

    Raises as `resolve`.
    """
    document = yaml.safe_load(kubectl.kubeconfig)
    cluster = document["clusters"][0]["cluster"]
    user = document["users"][0]["user"]
    url = urlsplit(cluster["server"])
    name = str(url.hostname)
    return Api(
        Server(
            namespace=kubectl.place.namespace,
            address=resolve(kubectl, name)[0],
            port=url.port or 443,
            name=name,
            ca=_text(cluster["certificate-authority-data"]),
            patience=patience,
        ),
        Identity(_text(user["client-certificate-data"]), _text(user["client-key-data"])),
    )


def resolve(kubectl: Kubectl, name: str) -> list[str]:
    """The addresses of a name, as the VPC's resolver has them. Raises LabError when it has none."""
    lines = run(*kubectl.place.command(["getent", "ahostsv4", name])).splitlines()
    return sorted({line.split()[0] for line in lines})


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


@contextmanager
def namespace(kubectl: Kubectl, name: str) -> Iterator[str]:
    """Make it again, also after a run that was killed; it goes however the proof ends.

    Raises LabError when it cannot be made, or its removal is not accepted.
    """
    kubectl.attempt("delete", "namespace", name, "--ignore-not-found")
    kubectl.output("create", "namespace", name)
    try:
        yield name
    finally:
        kubectl.output("delete", "namespace", name, "--ignore-not-found", "--wait=false")
