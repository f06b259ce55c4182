"""A worker without a cluster: its own container runtime, network plug-ins and kubelet, with pods
from files."""

import json
from ipaddress import IPv4Network
from urllib.parse import urlsplit

from components.naming import worker_pools
from components.network.placement import placement
from components.userdata.cloud_config import CloudConfig, File, dump_yaml
from components.userdata.kubelet import kubelet_configuration
from components.userdata.worker_runtime import SOCKET, runtime_files
from config import check
from lab.images.catalog import AGNHOST, references
from lab.images.registry import Registry
from lab.machines.download_store import ARCHITECTURE, RELEASES
from node.contract import CNI_CONFIG
from node.worker.pod_network import conflist

POOL = "general"
GATEWAY, CLOSED = 8080, 9090
"""Ports of the pod: one that the security group lets in, and one that it does not."""

FETCH = """\
set -eu
get() { curl --silent --show-error --fail --retry 20 --retry-connrefused -o "$1" "$2"; }
mkdir -p /opt/cni/bin
get /usr/local/bin/runc "$1"
get /usr/local/bin/kubelet "$2"
get /tmp/containerd "$3"
get /tmp/plugins "$4"
tar -xzf /tmp/containerd -C /usr/local
tar -xzf /tmp/plugins -C /opt/cni/bin
chmod 755 /usr/local/bin/*
systemctl daemon-reload
systemctl enable --now containerd kubelet
"""

KUBELET = f"""\
[Unit]
After=containerd.service
Wants=containerd.service
[Service]
ExecStart=/usr/local/bin/kubelet --config=/etc/kubernetes/kubelet.yaml --v=2 \
--config-dir=/etc/kubernetes/kubelet.conf.d --runtime-request-timeout=60s \
--container-runtime-endpoint=unix://{SOCKET}
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
"""


def user_data(registry: Registry, address: str, subnet: IPv4Network, prefix: IPv4Network) -> str:
    """What makes the instance a worker with one pod."""
    settings = check(
        {
            "clusterName": "smoke",
            "workers": {POOL: {"min": 1}},
            "artifacts": {"images": references(registry)},
        },
        stack="smoke",
    )
    (pool,) = worker_pools(settings, placement(settings, {"eu-central-1a": 0}, {}))
    kubelet = {
        **kubelet_configuration(settings, pool, 10),
        # There is no API server that could be asked.
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "serverTLSBootstrap": False,
        "rotateCertificates": False,
        "staticPodPath": "/etc/kubernetes/manifests",
    }
    files = (
        *runtime_files(settings),
        File(CNI_CONFIG, conflist(address, subnet, [prefix], None)),
        File("/etc/kubernetes/kubelet.yaml", dump_yaml(kubelet)),
        File("/etc/kubernetes/manifests/web.json", json.dumps(pod(registry))),
        File("/etc/systemd/system/kubelet.service", KUBELET),
        File("/root/fetch.sh", FETCH),
    )
    urls = [_url(name) for name in ("runc", "kubelet", "containerd", "cni-plugins")]
    sysctl = ("systemctl", "restart", "systemd-sysctl.service")
    return CloudConfig(None, files, (sysctl, ("sh", "/root/fetch.sh", *urls))).render()


def pod(registry: Registry) -> dict[str, object]:
    """A pod that answers on two ports, held to its memory."""
    image = registry.reference(*AGNHOST)
    containers = [
        {
            "name": f"web-{port}",
            "image": image,
            "args": ["netexec", f"--http-port={port}", "--udp-port=-1"],
            "resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "16Mi"}},
            "securityContext": {
                "runAsUser": 65532,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
        for port in (GATEWAY, CLOSED)
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "default", "uid": "web"},
        "spec": {"containers": containers, "terminationGracePeriodSeconds": 5},
    }


def _url(name: str) -> str:
    release = RELEASES[name]
    url = release.url.format(version=release.default, arch=ARCHITECTURE, artifact=name)
    assert urlsplit(url).scheme == "https"
    return url
