"""A control plane of real daemons on loopback addresses, with the flags of their units.

Each node has a directory as its root, an address and a hostname. A test starts what it needs: a
member of etcd takes 50 MB, an API server 300 MB, a controller-manager 80 MB, a scheduler 60 MB.
"""

import json
import ssl
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from components.naming import EtcdMember
from components.pki.encryption_at_rest import encryption_configuration
from components.userdata.audit import audit_policy
from components.userdata.authentication import authentication_config
from components.userdata.controllers import (
    controller_files,
    controller_manager_flags,
    scheduler_flags,
)
from components.userdata.etcd_member import etcd_flags
from components.userdata.flags import flags
from components.userdata.kube_apiserver import kube_apiserver_flags
from config import check
from node import web
from node.api.haproxy import render
from node.api.lease import hostname
from node.contract import NODE_ENV, PROXY_CONFIG, PROXY_SOCKET
from node.errors import NodeError
from node.membership import Member
from node.settings import PKI
from tests.node.daemons import Daemon, start, wait_until
from tests.node.issued_certificates import Authority, etcd_files
from tests.node.loopback import network
from tests.node.writer import Gateway

SETTINGS = check({"etcd": {"quotaGib": 1}, "api": {"shutdownDelay": "1s"}}, stack="test")

LEADERS = ("kube-controller-manager", "kube-scheduler")
_WATCH_LEADER = """
import pathlib, sys
from node.api.watch_leader import watch
watch(pathlib.Path(sys.argv[1]))
"""


@dataclass
class Keys:
    """The CAs, and what all API servers share."""

    # Longer than what it signs: a certificate that would outlive its CA is cut short.
    kubernetes: Authority = field(default_factory=lambda: Authority("kubernetes-ca", days=30))
    etcd: Authority = field(default_factory=lambda: Authority("etcd-ca"))
    front_proxy: Authority = field(default_factory=lambda: Authority("front-proxy-ca"))

    def __post_init__(self) -> None:
        self.service_account = self.kubernetes.leaf("service-account").key
        self.encryption = encryption_configuration(self.service_account)

    def api_files(self, name: str, address: str) -> dict[str, str]:
        """The files of an API server, as the program's PKI names them; new leaves every time."""
        key = load_pem_private_key(self.service_account.encode(), None)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        leaves = {
            "apiserver": self.kubernetes.leaf("kube-apiserver", address, "127.0.0.1"),
            "apiserver-etcd-client": self.etcd.leaf(name),
            "apiserver-kubelet-client": self.kubernetes.leaf("kubelet", group="system:masters"),
            "front-proxy-client": self.front_proxy.leaf("front-proxy-client"),
            "controller-manager": self.kubernetes.leaf("system:kube-controller-manager"),
            "scheduler": self.kubernetes.leaf("system:kube-scheduler"),
        }
        return {
            "ca.crt": self.kubernetes.pair.certificate,
            "ca.key": self.kubernetes.pair.key,
            "etcd-ca.crt": self.etcd.pair.certificate,
            "front-proxy-ca.crt": self.front_proxy.pair.certificate,
            "sa.pub": public.decode(),
            "sa.key": self.service_account,
            "encryption.yaml": self.encryption,
            **{f"{leaf}.crt": pair.certificate for leaf, pair in leaves.items()},
            **{f"{leaf}.key": pair.key for leaf, pair in leaves.items()},
        }


@dataclass
class Node:
    """A machine: its root directory, its address, and the daemons on it."""

    root: Path
    name: str
    address: str
    binaries: Path
    daemons: dict[str, Daemon] = field(default_factory=dict)
    launcher: Sequence[str] = ()
    """What the node's daemons are started by: a network of their own, for example."""

    def inside(self, path: str) -> Path:
        return Path(f"{self.root}{path}")

    def write(self, path: str, content: str) -> None:
        """Write a file of the node; what it names is below the root too, and 127.0.0.1 its own."""
        content = content.replace("/etc/kubernetes", f"{self.root}/etc/kubernetes")
        file = self.inside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content.replace("127.0.0.1", self.address))

    def run(self, name: str, values: Mapping[str, Any], host: str | None = None) -> Daemon:
        """Start one of the binaries with the flags of its unit."""
        moved = {
            flag: f"{self.root}{value}" if str(value).startswith("/") else value
            for flag, value in values.items()
        }
        command: list[str | Path] = [*self.launcher, self.binaries / name, *flags(moved)]
        self.daemons[name] = start(command, self.root / f"{name}.log", host)
        return self.daemons[name]

    def close(self) -> None:
        for daemon in self.daemons.values():
            daemon.end()


class EtcdNode(Node):
    """A member of etcd."""

    @property
    def member(self) -> EtcdMember:
        return EtcdMember(self.name, "zone", IPv4Address(self.address))

    def start(self, initial: str, state: str = "new") -> Daemon:
        """Start it; `initial` is etcd's initial cluster."""
        values = {
            **etcd_flags(SETTINGS, self.member),
            "listen-client-urls": self.member.client_url,
            "initial-cluster": initial,
            "initial-cluster-state": state,
        }
        self.inside("/var/lib/etcd/data").mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.run("etcd", values)

    def gateway(self) -> Gateway:
        """A client of this member."""
        return Gateway(self.inside(PKI["etcd"]), lambda: [self.address])

    def healthy(self) -> bool:
        try:
            web.ask(HTTPConnection(self.address, 2381, timeout=3), "/readyz")
        except NodeError:
            return False
        return True


class ApiNode(Node):
    """An API server's machine."""

    @property
    def hostname(self) -> str:
        return hostname(self.name, self.address)

    def start_proxy(self, members: Sequence[Member]) -> Daemon:
        """HAProxy as etcd-proxy.service runs it, on this node's own loopback address, and what
        watches its members' leader."""
        path = self.inside(PROXY_CONFIG)
        path.write_text(self.proxy_config(members))
        self.inside(PROXY_SOCKET).parent.mkdir(parents=True, exist_ok=True)
        log = self.root / "haproxy.log"
        self.daemons["haproxy"] = start(["/usr/sbin/haproxy", "-Ws", "-f", path], log)
        self.daemons["leader-watch"] = start(
            [sys.executable, "-c", _WATCH_LEADER, self.inside(PKI["api"])],
            self.root / "leader-watch.log",
            environment={"HA_NODE_ROOT": str(self.root)},
        )
        return self.daemons["haproxy"]

    def proxy_config(self, members: Sequence[Member]) -> str:
        text = render(members).replace("127.0.0.1:", f"{self.address}:")
        return text.replace(PROXY_SOCKET, str(self.inside(PROXY_SOCKET)))

    def start_api(self, etcd_servers: str | None = None) -> Daemon:
        """kube-apiserver; it uses this node's proxy unless etcd servers are given."""
        values = {
            **kube_apiserver_flags(SETTINGS),
            "bind-address": self.address,
            # Endpoints of a Service may not be on the loopback; nobody connects to this one.
            "advertise-address": f"192.0.2.{self.address.rpartition('.')[2]}",
            "etcd-servers": etcd_servers or f"https://{self.address}:2379",
        }
        self.inside("/var/log/kubernetes").mkdir(parents=True, exist_ok=True)
        return self.run("kube-apiserver", values, self.hostname)

    def start_leader(self, name: str) -> Daemon:
        """kube-controller-manager or kube-scheduler."""
        values = {
            "kube-controller-manager": controller_manager_flags,
            "kube-scheduler": scheduler_flags,
        }[name](SETTINGS)
        return self.run(name, {**values, "bind-address": self.address}, self.hostname)

    def call(
        self,
        client: ssl.SSLContext,
        method: str,
        path: str,
        body: Any = None,
        seconds: float = 60,
    ) -> Any:
        """An API request; NodeError unless it is answered with 200, in time."""
        connection = HTTPSConnection(self.address, 6443, timeout=seconds, context=client)
        text = None if body is None else json.dumps(body)
        answer = web.ask(connection, path, method, {"Content-Type": "application/json"}, text)
        return json.loads(answer) if answer.startswith("{") else answer


class ControlPlane:
    """Nodes that are made on demand, under one set of keys."""

    def __init__(
        self, directory: Path, etcd: Path, kubernetes: Path, prefix: str | None = None
    ) -> None:
        self.directory, self.etcd_binaries, self.kubernetes = directory, etcd, kubernetes
        self.network = prefix or network()
        self.keys = Keys()
        self.members: list[EtcdNode] = []
        self.servers: list[ApiNode] = []

    def member(self, number: int) -> EtcdNode:
        """The machine of a member, not started."""
        root, address = self.directory / f"etcd-{number}", f"{self.network}.{10 + number}"
        node = EtcdNode(root, f"etcd-{number}", address, self.etcd_binaries)
        proxies = [f"{self.network}.{30 + server}" for server in range(3)]
        for file, content in etcd_files(self.keys.etcd, node.name, address, *proxies).items():
            node.write(f"{PKI['etcd']}/{file}", content)
        self.members.append(node)
        return node

    def form(self, size: int) -> list[EtcdNode]:
        """A cluster of new members that are ready."""
        return self.start([self.member(number) for number in range(size)])

    def start(self, nodes: list[EtcdNode]) -> list[EtcdNode]:
        """Have members found a cluster; returns them once they are ready."""
        for node in nodes:
            node.start(self.initial(nodes))
        daemons = [node.daemons["etcd"] for node in nodes]
        wait_until(lambda: all(node.healthy() for node in nodes), "etcd is healthy", *daemons)
        return nodes

    def leader(self) -> EtcdNode:
        """The member that leads; RuntimeError when none of them says so."""
        for node in self.members:
            metrics = HTTPConnection(node.address, 2381, timeout=3)
            if "\netcd_server_is_leader 1\n" in web.ask(metrics, "/metrics"):
                return node
        raise RuntimeError("no member leads")

    def initial(self, nodes: Sequence[EtcdNode]) -> str:
        """What etcd calls the initial cluster."""
        return ",".join(f"{node.name}={node.member.peer_url}" for node in nodes)

    def server(self, number: int) -> ApiNode:
        """The machine of an API server, as prepare leaves it; no daemon runs."""
        root, address = self.directory / f"api-{number}", f"{self.network}.{30 + number}"
        node = ApiNode(root, f"api-{number}", address, self.kubernetes)
        for file, content in self.keys.api_files(node.name, address).items():
            node.write(f"{PKI['api']}/{file}", content)
        for written in (*controller_files(SETTINGS), authentication_config(), audit_policy()):
            node.write(written.path, written.content)
        path = node.inside(NODE_ENV)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"NODE_ADDRESS={address}\n")
        self.servers.append(node)
        return node

    def running_server(
        self, number: int = 0, etcd_servers: str | None = None, proxied: bool = False
    ) -> ApiNode:
        """An API server that is ready; with a list of members, or by the local proxy."""
        node = self.server(number)
        every = ",".join(member.member.client_url for member in self.members)
        if proxied:
            node.start_proxy(self.membership())
        else:
            etcd_servers = etcd_servers or every
        daemon = node.start_api(etcd_servers)
        admin = self.client("admin", "system:masters")

        def ready() -> bool:
            nonlocal daemon
            # It ends when etcd is too slow while it starts, and its unit starts it again.
            if not daemon.alive():
                daemon = node.start_api(etcd_servers)
            try:
                return bool(node.call(admin, "GET", "/readyz") == "ok")
            except NodeError:
                return False

        wait_until(ready, f"the API server is ready, see {daemon.log}")
        return node

    def membership(self) -> list[Member]:
        """The members as the proxy gets them."""
        return [Member(node.name, node.address) for node in self.members]

    def client(self, user: str, group: str | None = None) -> ssl.SSLContext:
        """What a client of the API servers trusts and shows."""
        pair = self.keys.kubernetes.leaf(user, group=group)
        return context(self.directory / f"{user}.pem", self.keys.kubernetes, pair)

    def close(self) -> None:
        for node in (*self.servers, *self.members):
            node.close()


def context(path: Path, authority: Authority, pair: Any) -> ssl.SSLContext:
    """A client's TLS context; the certificate is kept in a file, which OpenSSL wants."""
    path.write_text(pair.certificate + pair.key)
    trust = ssl.create_default_context(cadata=authority.pair.certificate)
    trust.load_cert_chain(path)
    return trust
