"""etcdctl on a member: what stands in etcd itself."""

import base64
import json
from typing import Any

from lab.proofs.lab_session import LabSession
from lab.running.node_names import Node
from lab.running.probe import ETCDCTL


def etcdctl(session: LabSession, node: Node, *words: str) -> Any:  # noqa: ANN401 - JSON
    """The answer of a member to a question to itself."""
    return json.loads(session.within(node, *ETCDCTL, *words))


def value(session: LabSession, node: Node, key: str) -> bytes:
    """The bytes under a key. Raises AssertionError when there are none."""
    found = etcdctl(session, node, "get", key).get("kvs", [])
    assert found, f"etcd has nothing at {key}"
    return base64.b64decode(found[0]["value"])


def cluster_id(session: LabSession, node: Node) -> int:
    """The id that a cluster gets when it is formed, and keeps."""
    status = etcdctl(session, node, "endpoint", "status")[0]["Status"]
    return int(status["header"]["cluster_id"])
