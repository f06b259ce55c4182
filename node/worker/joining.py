"""Joining: whether this worker is part of the cluster, and otherwise why not.

A worker counts as joined when its kubelet has a certificate and the API server says that the Node
is ready. Otherwise each step of joining is looked at in its order, and the first that lacks is the
reason: an API server that answers, a token, its acceptance, the request for a certificate and what
became of it, the Node.
"""

import base64
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import quote

from node.contract import CLUSTER_AGENT_UNIT, KUBELET_PKI, KUBELET_UNIT
from node.errors import NodeError
from node.machine import Machine
from node.machine import run as execute
from node.settings import Settings, WorkerSettings, at
from node.worker import certificate, join_token
from node.worker.identity import Identity
from node.worker.kubelet_client import (
    KubernetesApi,
    RefusedError,
    as_kubelet,
    trust,
)

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
REQUESTS = (
    "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    f"?fieldSelector={quote(f'spec.signerName={CLIENT_SIGNER}')}"
)
SERVING_CERTIFICATE = f"{KUBELET_PKI}/kubelet-server-current.pem"


def why_not(settings: Settings, worker: WorkerSettings, me: Identity, machine: Machine) -> str:
    """Why this worker is not joined; empty when it is."""
    try:
        if certificate.joined():
            return _node(settings, worker, me, machine)
        return _first_certificate(settings, worker, me, machine)
    except RefusedError as error:
        return str(error)
    except NodeError as error:
        return f"{error}: the control plane is down, or a security group or DNS is in the way"


def remark() -> str:
    """What a joined worker lacks; empty when nothing; NodeError when its certificate is damaged."""
    lacks = []
    if overdue := certificate.overdue():
        lacks.append(overdue)
    if not at(SERVING_CERTIFICATE).exists():
        lacks.append("kubelet has no serving certificate yet, so logs and exec of its pods fail")
    if not lacks:
        return ""
    return (
        f"{'; '.join(lacks)}: {CLUSTER_AGENT_UNIT} on the API servers approves it, or says why not "
        "in its journal"
    )


def _node(settings: Settings, worker: WorkerSettings, me: Identity, machine: Machine) -> str:
    """Why a worker with a certificate is not joined."""
    with closing(as_kubelet(settings, worker.api)) as api:
        try:
            node = api.get(f"/api/v1/nodes/{quote(me.name)}")
        except RefusedError as error:
            if error.status == 404:
                return f"there is no Node {me.name}: {_kubelet(machine)}"
            if error.status == 401:
                return f"{error}: the CA did not sign kubelet's certificate, or a clock is wrong"
            raise
    return not_ready(node)


def not_ready(node: Mapping[str, Any]) -> str:
    """Why a Node is not ready; empty when it is. Pure."""
    conditions = node.get("status", {}).get("conditions") or []
    ready = next((one for one in conditions if one["type"] == "Ready"), None)
    if ready is None:
        return "kubelet has not reported how the Node is"
    if ready["status"] == "True":
        return ""
    return f"the Node is not ready: {ready.get('message') or ready.get('reason') or 'no reason'}"


def _first_certificate(
    settings: Settings, worker: WorkerSettings, me: Identity, machine: Machine
) -> str:
    """Why kubelet has no certificate."""
    context = trust(settings)
    with closing(KubernetesApi(worker.api, context)) as api:
        # Without credentials: is there an API server at all, and one that is ready?
        api.get("/readyz")
    if trouble := join_token.trouble():
        return f"no join token: {trouble}"
    with closing(KubernetesApi(worker.api, context, join_token.held())) as api:
        try:
            requests = api.get(REQUESTS)["items"]
        except RefusedError as error:
            if error.status == 401:
                return (
                    "the API server does not accept the join token: the next one is fetched within "
                    f"half a minute; {CLUSTER_AGENT_UNIT} on the API servers makes it"
                )
            if error.status == 403:
                return f"kubelet has no certificate, and nobody may see why: {_kubelet(machine)}"
            raise
    return fate(requests, me.name) or _kubelet(machine)


def fate(requests: Sequence[Mapping[str, Any]], node: str) -> str:
    """What became of a node's last request for a client certificate; empty without any. Pure.

    The name that is asked for stands in the request as plain text, whatever else is encoded.
    """
    subject = f"system:node:{node}".encode()
    mine = [
        one
        for one in requests
        if one["spec"]["signerName"] == CLIENT_SIGNER and subject in _der(one["spec"]["request"])
    ]
    if not mine:
        return ""
    last = max(mine, key=lambda one: str(one["metadata"]["creationTimestamp"]))
    name, since = last["metadata"]["name"], last["metadata"]["creationTimestamp"]
    status = last.get("status") or {}
    conditions = {one["type"]: one.get("message", "") for one in status.get("conditions") or []}
    for bad, verb in (("Denied", "was denied"), ("Failed", "failed")):
        if bad in conditions:
            return f"the certificate request {name} {verb}: {conditions[bad] or 'no reason given'}"
    if "Approved" not in conditions:
        return (
            f"the certificate request {name} of {since} waits for approval by "
            f"{CLUSTER_AGENT_UNIT} on the API servers"
        )
    if not status.get("certificate"):
        return f"the certificate request {name} is approved; kube-controller-manager signs it"
    return f"the certificate of request {name} is ready, and kubelet fetches it"


def _der(request: str) -> bytes:
    """A request without its two encodings: base64 of PEM, which is base64 of DER."""
    try:
        lines = base64.b64decode(request).decode().splitlines()
        return base64.b64decode("".join(line for line in lines if not line.startswith("-----")))
    except ValueError:
        return b""


def _kubelet(machine: Machine) -> str:
    """What kubelet itself says, by its state and its journal."""
    try:
        if not machine.active(KUBELET_UNIT):
            return f"{KUBELET_UNIT} does not run: systemctl status {KUBELET_UNIT}"
        lines = execute(
            "journalctl", f"--unit={KUBELET_UNIT}", "--lines=50", "--output=cat", "--no-pager"
        ).stdout.splitlines()
    except NodeError as error:
        return f"nobody knows how kubelet is: {error}"
    if last := last_error(lines):
        return f"kubelet says: {last}"
    return f"kubelet starts, and has not complained: journalctl -u {KUBELET_UNIT}"


def last_error(lines: Sequence[str]) -> str:
    """The last error in a journal of klog's format (E1129 12:00:00.000000 1 file.go:1] text)."""
    for line in reversed(lines):
        letter, digits, rest = line[:1], line[1:5], line.partition("] ")[2]
        if letter in {"E", "F"} and digits.isdigit() and rest:
            return rest[:300]
    return ""
