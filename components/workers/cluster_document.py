"""What the cluster agent is to keep in Kubernetes, as a document in Parameter Store. Pure.

A change of it reaches the agent within a minute and replaces no machine.
"""

from typing import Any

from components.pki.certificates import CLUSTER_DOMAIN
from config import ClusterSettings


def cluster_dns(settings: ClusterSettings) -> str:
    """The address of the Service of CoreDNS: the tenth of the service network, as everywhere."""
    return str(settings.network.service_cidr[10])


def cluster_document(settings: ClusterSettings, *, key_arn: str) -> dict[str, Any]:
    """The document that `node/cluster/addons.py` reads; the KMS key encrypts the join token."""
    return {
        "clusterDns": cluster_dns(settings),
        "clusterDomain": CLUSTER_DOMAIN,
        "images": {"coredns": settings.artifacts.image("coredns")},
        "key": key_arn,
    }
