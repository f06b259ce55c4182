"""The lease of a leader: whose it is, and what it says once released. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

CERTIFICATES = {
    "kube-controller-manager": "controller-manager",
    "kube-scheduler": "scheduler",
}
"""The certificate of each daemon that leads, by its name, which is its lease's name too."""

PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/"


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
