"""Workers: the machines of the pools, and their nodes as Kubernetes has them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.lab_errors import LabError
from lab.proofs.kubernetes_api import api
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until_none
from lab.proofs.tls import RefusedError
from lab.running.node_names import Node

PATIENCE = 5.0
"""Seconds that a question may take while something is broken on purpose."""

Document = Mapping[str, Any]
"""An object of Kubernetes."""


@dataclass(frozen=True)
class Worker:
    """A machine of a pool that has joined."""

    machine: Node
    document: Document
    """Its node in Kubernetes."""

    @property
    def name(self) -> str:
        """Its node's name."""
        return str(self.document["metadata"]["name"])


def machines(session: LabSession) -> list[Node]:
    """The machines of every pool that are there."""
    found = session.lab.nodes().values()
    return [
        node
        for node in found
        if node.instance.pool is not None and node.instance.state in {"pending", "running"}
    ]


def read(session: LabSession, path: str) -> dict[str, Any] | None:
    """An object, or a list of them, as the administrator reads it; None when nobody answers."""
    try:
        answer = api(session.kubectl, PATIENCE).ask(path)
    except (OSError, RefusedError, LabError):
        return None
    return dict(json.loads(answer.body)) if answer.status == 200 else None


def items(session: LabSession, path: str) -> list[dict[str, Any]] | None:
    """The objects of a list; None when nobody answers."""
    found = read(session, path)
    return None if found is None else list(found["items"])


def settled(session: LabSession) -> list[Worker]:
    """The workers, once all of them are ready and CoreDNS is on more than one; none where the stack
    has none.

    Raises AssertionError with what the others lack.
    """
    if not machines(session):
        return []
    until_none("every worker is ready", lambda: lacking(session))
    return joined(session)


def joined(session: LabSession) -> list[Worker]:
    """Machines that have a node, in the order of their names. Raises AssertionError when the API
    does not answer."""
    nodes = items(session, "/api/v1/nodes")
    assert nodes is not None, "the API does not answer"
    return pair(machines(session), nodes)


def pair(running: Iterable[Node], nodes: Iterable[Document]) -> list[Worker]:
    """Machines with their nodes, known by their instance ids. Pure."""
    by_id = {instance_of(node): node for node in nodes}
    return [
        Worker(machine, by_id[machine.instance.id])
        for machine in running
        if machine.instance.id in by_id
    ]


def lacking(session: LabSession) -> list[str]:
    """What keeps workers from being ready, a phrase each."""
    running, nodes = machines(session), items(session, "/api/v1/nodes")
    if nodes is None:
        return ["the API does not answer"]
    by_id = {worker.machine.instance.id: worker for worker in pair(running, nodes)}
    problems = [
        f"{machine.name} ({machine.instance.id}) {problem}"
        for machine in running
        for problem in [_problem(by_id.get(machine.instance.id))]
        if problem
    ]
    return problems or _dns_on_one(session, len(running))


def _dns_on_one(session: LabSession, workers: int) -> list[str]:
    """CoreDNS, while all of it is on one of several workers: it moves after it was started."""
    found = items(session, "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns")
    hosts = {
        one["spec"].get("nodeName")
        for one in found or ()
        if condition(one, "Ready").get("status") == "True"
    }
    enough = min(2, workers)
    return [] if len(hosts) >= enough else [f"CoreDNS is ready on {len(hosts)}, not {enough}"]


def _problem(worker: Worker | None) -> str:
    if worker is None:
        return "has no node"
    if worker.document["spec"].get("unschedulable"):
        return "is cordoned"
    ready = condition(worker.document, "Ready")
    return "" if ready.get("status") == "True" else f"is not ready: {ready.get('message', ready)}"


def instance_of(node: Document) -> str:
    """The id of a node's instance; empty when it names none. Pure."""
    return str(node["spec"].get("providerID", "")).rpartition("/")[2]


def condition(document: Document, kind: str) -> Document:
    """A condition of an object; empty when it has none of that kind. Pure."""
    conditions: Iterable[Document] = document.get("status", {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})
