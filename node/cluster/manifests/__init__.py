"""Objects that the cluster agent keeps in Kubernetes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from node.cluster.addons import Addons
from node.cluster.labels import LABELS
from node.cluster.manifests import bindings, cluster_dns, pod_security, spread

Manifest = Mapping[str, Any]


def manifests(addons: Addons, nodes: Iterable[Mapping[str, Any]]) -> list[Manifest]:
    """All of them, in the order in which they are applied, for a cluster of these Nodes."""
    replicas = spread.replicas(spread.workers_by_zone(nodes))
    return [
        labelled(one) for one in (*bindings.manifests(), *cluster_dns.manifests(addons, replicas))
    ]


def defaults() -> Sequence[Manifest]:
    """Those on which a person who sets something else is right, and stays so."""
    return pod_security.manifests()


def labelled(manifest: Manifest) -> Manifest:
    """The object with the label that says whose it is."""
    metadata = manifest["metadata"]
    return {
        **manifest,
        "metadata": {**metadata, "labels": {**metadata.get("labels", {}), **LABELS}},
    }
