"""What the stack wants in Kubernetes: the document in Parameter Store, and its values. Pure.

    clusterDns     address of the Service of CoreDNS
    clusterDomain  domain of Services
    images         {"coredns": reference}
    key            ARN of the KMS key that encrypts the join token

The program writes it in components/workers/cluster_document.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.errors import NodeError


@dataclass(frozen=True)
class Addons:
    """What the stack wants in Kubernetes."""

    cluster_dns: str
    cluster_domain: str
    coredns_image: str
    key: str


def parse(document: Mapping[str, Any]) -> Addons:
    """The values of a document; NodeError when one is missing."""
    try:
        return Addons(
            cluster_dns=document["clusterDns"],
            cluster_domain=document["clusterDomain"],
            coredns_image=document["images"]["coredns"],
            key=document["key"],
        )
    except (KeyError, TypeError) as error:
        raise NodeError(f"the cluster's document is damaged ({error!r}): run pulumi up") from error
