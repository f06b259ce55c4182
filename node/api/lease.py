"""Lease of a leader: by whose name it is held, and what it says once released. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

CERTIFICATES = {
    "kube-controller-manager": "controller-manager",
    "kube-scheduler": "scheduler",
}
"""The certificate of each daemon that leads, by its name, which is its lease's name too."""

PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/"


def hostname(name: str, address: str) -> str:
    """The machine's own name, such as api-0-10-0-0-17.

    An API server's successor has the node's name and runs alongside it for a while, and leaders
    sign their leases with the hostname: two machines of one name would take each other's for their
    own. No two machines of a network have one address at a time.
    """
    return f"{name}-{address.replace('.', '-')}"


def holder(lease: Mapping[str, Any]) -> str:
    """Who holds it: `<hostname>_<a random id of the process>`; empty when nobody does."""
    found: str = lease["spec"].get("holderIdentity") or ""
    return found


def held_on(hostname: str, lease: Mapping[str, Any]) -> bool:
    """Whether a process of that machine holds it; no hostname has an underscore."""
    return holder(lease).startswith(f"{hostname}_")


def released(lease: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The lease as client-go leaves it at a clean exit (leaderelection.go, release).

    It keeps its resourceVersion: the API server refuses it once anybody wrote meanwhile.
    """
    time = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    kept = {key: value for key, value in lease["spec"].items() if key != "holderIdentity"}
    spec = {**kept, "leaseDurationSeconds": 1, "acquireTime": time, "renewTime": time}
    return {**lease, "spec": spec}
