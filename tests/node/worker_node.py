"""A worker in a directory, with an API server and an Auto Scaling service of its own."""

import base64
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from node.settings import Settings
from tests.node.doubles import Metadata, Quiet, serve
from tests.node.issued_certificates import Authority

NODE = "ip-10-0-224-4.eu-central-1.compute.internal"
MAC = "06:11:22:33:44:55"
INTERFACE = f"network/interfaces/macs/{MAC}"
ITEMS = {
    **Metadata.items,
    "local-hostname": NODE,
    "mac": MAC,
    "placement/availability-zone": "eu-central-1a",
    "placement/region": "eu-central-1",
    "instance-type": "t3.medium",
    f"{INTERFACE}/subnet-ipv4-cidr-block": "10.0.224.0/20",
    f"{INTERFACE}/ipv4-prefix": "10.0.228.0/28\n10.0.228.32/28",
}
PARAMETERS = {
    "operations": "/test/operations",
    "joinToken": "/test/workers/join-token",
    "ca": "/test/workers/ca",
}
ENVIRONMENT = (
    f"NODE_ADDRESS=10.0.224.4\nNODE_NAME={NODE}\n"
    "PROVIDER_ID=aws:///eu-central-1a/i-0abc\nZONE=eu-central-1a\nREGION=eu-central-1\n"
    "INSTANCE_TYPE=t3.medium\n"
)


def changes(api: str = "https://127.0.0.1:1", **more: Any) -> dict[str, Any]:
    """What makes a document of conftest.py that of a worker."""
    worker = {
        "pool": "blue",
        "api": api,
        "clusterDns": "10.96.0.10",
        "podNetwork": "vpc",
        "maxPods": 32,
        "labels": {},
        "taints": [],
        "joinHook": "join",
        "drainHook": "drain",
        **more,
    }
    return {"tier": "worker", "parameters": PARAMETERS, "worker": worker}


def certify(root: Path, authority: Authority, *, days: float = 1, starts: float = 0) -> None:
    """Give kubelet the certificate that it would have been given."""
    pair = authority.leaf(f"system:node:{NODE}", group="system:nodes", days=days, starts=starts)
    path = root / "var/lib/kubelet/pki/kubelet-client-current.pem"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pair.certificate + pair.key)


def installed(
    node: Callable[..., Settings], root: Path, authority: Authority, url: str
) -> Settings:
    """A worker of the pool blue that is prepared and knows the CA, without a certificate."""
    settings = node("test-workers-blue", **changes(url))
    settings.pki.mkdir(parents=True)
    (settings.pki / "ca.crt").write_text(authority.pair.certificate)
    (root / "etc/ha-kubernetes/node.env").write_text(ENVIRONMENT)
    return settings


def completed(hook: str) -> dict[str, str]:
    """What Auto Scaling is asked to complete a hook of the worker."""
    return {
        "Action": "CompleteLifecycleAction",
        "Version": "2011-01-01",
        "LifecycleHookName": hook,
        "AutoScalingGroupName": "test-workers-blue",
        "InstanceId": "i-0abc",
        "LifecycleActionResult": "CONTINUE",
    }


def said_without_boto3() -> str:
    """What `reconcile` and `report` print in a process that must not import boto3."""
    code = (
        "import sys; from node.cli import main;"
        "done = main(['reconcile']) or main(['report']);"
        "sys.exit(done or 'boto3' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def pod(name: str, **changes: Any) -> dict[str, Any]:
    """A pod of a ReplicaSet on the worker."""
    meta = {
        "namespace": "default",
        "name": name,
        "uid": f"uid-{name}",
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": True}],
        **changes.pop("metadata", {}),
    }
    spec = {"nodeName": NODE, "terminationGracePeriodSeconds": 30, **changes.pop("spec", {})}
    return {"metadata": meta, "spec": spec, "status": {"phase": "Running"}, **changes}


def request(name: str, node: str = NODE, **status: Any) -> dict[str, Any]:
    """A kubelet's request for its first certificate, as the API server lists it."""
    der = b"\x30\x82\x01\x0c\x13" + f"system:node:{node}".encode() + b"\x30\x59"
    body = base64.encodebytes(der).decode()
    pem = f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-11-29T12:00:00Z"},
        "spec": {
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "request": base64.b64encode(pem.encode()).decode(),
            "username": "system:bootstrap:abcdef",
        },
        "status": status,
    }


@dataclass
class Cluster:
    """What an API server knows, and what it was asked."""

    url: str = ""
    node: dict[str, Any] | None = field(default_factory=lambda: {"spec": {}, "status": {}})
    pods: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    secretive: bool = False
    """Whether nobody may read requests for certificates."""
    budgets: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Status and message that evictions of a pod get."""
    stays: set[str] = field(default_factory=set)
    """Pods that do not end when they are told to."""
    down: int | None = None
    """Status of every answer."""
    asked: list[str] = field(default_factory=list)
    evictions: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, user: str, body: Any) -> tuple[int, Any]:
        """Status and document."""
        if self.down:
            return self.down, {"message": "etcd is away"}
        if path == "/readyz":
            return 200, "ok"
        if not user:
            return 401, {"message": "Unauthorized"}
        if urlsplit(path).path == "/apis/certificates.k8s.io/v1/certificatesigningrequests":
            return (403, {"message": "no"}) if self.secretive else (200, {"items": self.requests})
        if user != f"system:node:{NODE}":
            return 403, {"message": f"{user} may not"}
        return self._kubelet(method, urlsplit(path), body)

    def _kubelet(self, method: str, parts: SplitResult, body: Any) -> tuple[int, Any]:
        if parts.path == f"/api/v1/nodes/{NODE}":
            if self.node is None:
                return 404, {"message": f'nodes "{NODE}" not found'}
            if method == "PATCH":
                self.node["spec"] |= body["spec"]
            return 200, self.node
        if parts.path == "/api/v1/pods":
            mine = parse_qs(parts.query).get("fieldSelector") == [f"spec.nodeName={NODE}"]
            return (200, {"items": self.pods}) if mine else (403, {"message": "own pods only"})
        if method == "POST" and parts.path.endswith("/eviction"):
            return self._evict(unquote(parts.path.split("/")[6]), body)
        return 404, {"message": parts.path}

    def _evict(self, name: str, body: Any) -> tuple[int, Any]:
        self.evictions.append(body)
        found = next((one for one in self.pods if one["metadata"]["name"] == name), None)
        if found is None:
            return 404, {"message": f'pods "{name}" not found'}
        if name in self.budgets:
            status, message = self.budgets[name]
            cause = [{"reason": "DisruptionBudget", "message": message}]
            text = "Cannot evict pod as it would violate the pod's disruption budget."
            return status, {"message": text, "details": {"causes": cause}}
        if name in self.stays:
            ends = datetime.now(UTC) + timedelta(
                seconds=found["spec"]["terminationGracePeriodSeconds"]
            )
            found["metadata"]["deletionTimestamp"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            self.pods.remove(found)
        return 201, {"status": "Success"}


@contextmanager
def api_server(authority: Authority) -> Iterator[Cluster]:
    """Serve a cluster over HTTPS, to whoever the CA vouches for or has a token."""
    cluster = Cluster()

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def _user(self) -> str:
            certificate = self.connection.getpeercert()
            for attributes in (certificate or {}).get("subject", ()):
                for key, value in attributes:
                    if key == "commonName":
                        return str(value)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return "system:bootstrap:abcdef" if token in cluster.tokens else ""

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            with cluster.lock:
                cluster.asked.append(f"{self.command} {self.path}")
                status, answer = cluster.answer(self.command, self.path, self._user(), body)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.reply(status, text.encode())

        def do_GET(self) -> None:
            self._any()

        do_POST = do_PATCH = do_GET  # noqa: N815  names of http.server

    context = authority.server_context("api")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=authority.pair.certificate)
    with serve(Handler, context) as port:
        cluster.url = f"https://127.0.0.1:{port}"
        yield cluster


@contextmanager
def auto_scaling() -> Iterator[tuple[str, list[dict[str, str]], list[tuple[int, str]]]]:
    """An Auto Scaling service: its URL, what it was asked, and the errors that it answers next."""
    asked: list[dict[str, str]] = []
    errors: list[tuple[int, str]] = []

    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            values = {name: one[0] for name, one in parse_qs(body).items()}
            asked.append(values)
            action = values["Action"]
            if errors:
                status, message = errors.pop(0)
                text = (
                    f"<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
                    f"<Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
                )
                self.reply(status, text.encode())
                return
            text = (
                f"<{action}Response><{action}Result/><ResponseMetadata><RequestId>r</RequestId>"
                f"</ResponseMetadata></{action}Response>"
            )
            self.reply(200, text.encode())

    with serve(Handler) as port:
        yield f"http://127.0.0.1:{port}", asked, errors
