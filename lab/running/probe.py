"""Probe that runs within a machine and prints what the machine says of itself, one JSON document.

It is sent to the machine's own Python and reads nothing but what a person with a shell there could
read. Certificates are named, keys are only handed to the programs that need them. Standard library
only.
"""

import json
import subprocess
from pathlib import Path

ETCD_PKI = "/etc/etcd/pki"
ETCDCTL = (
    "etcdctl",
    "--endpoints=https://127.0.0.1:2379",
    f"--cacert={ETCD_PKI}/ca.crt",
    f"--cert={ETCD_PKI}/server.crt",
    f"--key={ETCD_PKI}/server.key",
    "--write-out=json",
)
"""A question to the member on the machine; the answer is JSON."""
KUBERNETES_PKI = "/etc/kubernetes/pki"
WORKER_STATUS = "/run/ha-kubernetes/worker.json"
LEASES = "https://127.0.0.1:6443/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
READY = "https://127.0.0.1:6443/readyz"
LEADERS = {"kube-controller-manager": "controller-manager", "kube-scheduler": "scheduler"}

UNITS = (
    "cloud-config.service",
    "cloud-final.service",
    "network-online.target",
    "node-packages.service",
    "node-agent.service",
    "node-prepare.service",
    "etcd.service",
    "etcd-proxy.service",
    "kube-apiserver.service",
    "kube-controller-manager.service",
    "kube-scheduler.service",
    "containerd.service",
    "kubelet.service",
    "kube-proxy.service",
)


def main() -> None:
    """Print everything."""
    etcd = Path("/etc/etcd/pki").exists() or Path("/usr/local/bin/etcd").exists()
    worker = Path("/etc/systemd/system/kubelet.service").exists()
    found = {
        "userspace": userspace(),
        "units": units(),
        "certificates": certificates(ETCD_PKI if etcd else KUBERNETES_PKI),
        "etcd": etcd_status() if etcd else None,
        "api": None if etcd or worker else api_status(),
        "worker": worker_status() if worker else None,
    }
    print(json.dumps(found))


def output(*command: str) -> str | None:
    """What a program prints; None when it fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=8, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def userspace() -> int:
    """When systemd took over, in microseconds of CLOCK_MONOTONIC."""
    text = output("systemctl", "show", "--property=UserspaceTimestampMonotonic", "--value")
    return int((text or "0").strip() or 0)


def units() -> dict[str, dict[str, str]]:
    """State of the units that matter, and when they became what they are."""
    properties = "Id,ActiveState,SubState,ActiveEnterTimestampMonotonic,MainPID,NRestarts"
    text = output("systemctl", "show", f"--property={properties}", *UNITS) or ""
    found = {}
    for block in text.strip().split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if values.get("Id"):
            found[values.pop("Id")] = values
    return found


def certificates(directory: str) -> dict[str, str]:
    """When each certificate ends, as openssl writes it. A worker has none that people renew."""
    found = {}
    for path in sorted(Path(directory).glob("*.crt")):
        text = output("openssl", "x509", "-noout", "-enddate", "-in", str(path))
        if text:
            found[path.name] = text.strip().removeprefix("notAfter=")
    return found


def etcd_status() -> dict[str, object] | None:
    """The member's own status, and the membership that it knows; None when it does not answer."""
    command = (*ETCDCTL, "--command-timeout=3s")
    status = output(*command, "endpoint", "status")
    if not status:
        return None
    members = output(*command, "member", "list")
    return {
        "status": json.loads(status)[0]["Status"],
        "members": json.loads(members)["members"] if members else None,
    }


def api_status() -> dict[str, object]:
    """Whether the machine's own API server is ready, and who leads, in its words."""
    leases: dict[str, str | None] = {}
    for lease, certificate in LEADERS.items():
        text = _ask(f"{LEASES}/{lease}", certificate)
        leases[lease] = json.loads(text)["spec"].get("holderIdentity") if text else None
    return {"ready": _ask(READY, "scheduler") == "ok", "leases": leases}


def worker_status() -> dict[str, object] | None:
    """What the machine's agent says of a worker; None before it said anything."""
    try:
        found = json.loads(Path(WORKER_STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return dict(found)


def _ask(url: str, certificate: str) -> str | None:
    pki = KUBERNETES_PKI
    trust = ("--cacert", f"{pki}/ca.crt", "--cert", f"{pki}/{certificate}.crt")
    key = ("--key", f"{pki}/{certificate}.key")
    return output("curl", "--silent", "--fail", "--max-time", "5", *trust, *key, url)


if __name__ == "__main__":
    main()
