"""Certificates that there are: names, usages and files."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

import pulumi

from components.naming import ApiServer, EtcdMember
from components.network.addressing import service_address
from node.contract import FRONT_PROXY_COMMON_NAME, PEER_COMMON_NAME

Authority = Literal["kubernetes", "etcd", "front-proxy"]
"""The three trust domains. One CA for all would let any API client in to etcd, and let it
pose as the front proxy, which may claim to be anybody."""

SERVER_USES = ("digital_signature", "server_auth")
CLIENT_USES = ("digital_signature", "client_auth")
MEMBER_USES = ("digital_signature", "server_auth", "client_auth")
"""An etcd member dials its peers, and its gateway dials itself, with the certificate it serves."""

CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True)
class CertificateSpec:
    """A leaf certificate: who signs it, for whom, for what use."""

    file: str
    """Base name of the node's files: `<file>.crt` and `<file>.key`."""
    ca: Authority
    common_name: str
    uses: tuple[str, ...]
    organization: str | None = None
    """The Kubernetes group of a client."""
    dns_names: tuple[pulumi.Input[str], ...] = ()
    addresses: tuple[str, ...] = ()


def member_certificates(member: EtcdMember) -> tuple[CertificateSpec, ...]:
    """The certificates of an etcd member."""
    names = (member.name, "localhost")
    addresses = (str(member.address), "127.0.0.1")
    return (
        CertificateSpec("server", "etcd", member.name, MEMBER_USES, None, names, addresses),
        CertificateSpec("peer", "etcd", PEER_COMMON_NAME, MEMBER_USES, None, names, addresses),
    )


def api_server_certificates(
    node: ApiServer,
    *,
    service_cidr: IPv4Network,
    dns_name: pulumi.Input[str],
    workers: bool = False,
) -> tuple[CertificateSpec, ...]:
    """The certificates of an API server VM; `dns_name` is the load balancer's name."""
    names = (
        node.name,
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
        dns_name,
    )
    addresses = (str(service_address(service_cidr)), "127.0.0.1")
    return (
        CertificateSpec(
            "apiserver", "kubernetes", "kube-apiserver", SERVER_USES, None, names, addresses
        ),
        CertificateSpec("apiserver-etcd-client", "etcd", node.name, CLIENT_USES),
        CertificateSpec(
            "apiserver-kubelet-client",
            "kubernetes",
            "kube-apiserver-kubelet-client",
            CLIENT_USES,
            "system:masters",
        ),
        CertificateSpec("front-proxy-client", "front-proxy", FRONT_PROXY_COMMON_NAME, CLIENT_USES),
        CertificateSpec(
            "controller-manager", "kubernetes", "system:kube-controller-manager", CLIENT_USES
        ),
        CertificateSpec("scheduler", "kubernetes", "system:kube-scheduler", CLIENT_USES),
        *((CLUSTER_AGENT,) if workers else ()),
    )


CLUSTER_AGENT = CertificateSpec(
    "cluster-agent",
    "kubernetes",
    "ha-kubernetes:cluster-agent",
    CLIENT_USES,
    "system:masters",
)
"""The cluster agent's, on API servers of a cluster with workers. It applies RBAC and approves
certificates, so that any smaller group would be one in name only; the machine has the key of the CA
anyway."""

ADMIN = CertificateSpec("admin", "kubernetes", "admin", CLIENT_USES, "system:masters")
"""The operator's certificate in the exported kubeconfig."""
