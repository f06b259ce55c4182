"""Reference to the node that a resource belongs to, from the resource's name alone. Pure.

A hook also runs for resources that the program no longer declares, of which state holds nothing but
inputs and outputs; the name is the program's own, and never changes in the life of a resource.
"""

import re
from dataclasses import dataclass

_NAME = re.compile(r"(?P<cluster>.+)-(?P<node>(?:etcd|api)-\d+)(?:-data)?")


@dataclass(frozen=True)
class NodeRef:
    """A node of a cluster."""

    cluster: str
    name: str

    def __str__(self) -> str:
        """As Pulumi and AWS name its instance."""
        return f"{self.cluster}-{self.name}"


def node_ref_of(resource: str) -> NodeRef | None:
    """The node that an instance, its disk or its target belongs to; None when the name is no
    such."""
    match = _NAME.fullmatch(resource)
    return NodeRef(match["cluster"], match["node"]) if match else None
