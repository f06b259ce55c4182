"""Tags: what every resource of a cluster carries."""

from collections.abc import Mapping


def cluster_tags(cluster: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The tags of a whole cluster: the stack's own, and the one that AWS integrations look for."""
    return {**extra, f"kubernetes.io/cluster/{cluster}": "owned"}


def outside_kubernetes(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a resource that no controller in the cluster may find and use."""
    return {key: value for key, value in tags.items() if not key.startswith("kubernetes.io/")}


def named(tags: Mapping[str, str], name: str) -> dict[str, str]:
    """The cluster's tags and the resource's name."""
    return {**tags, "Name": name}
