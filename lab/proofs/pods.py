"""Pods as Kubernetes has them, and programs in their networks."""

from dataclasses import dataclass
from typing import Any

from lab.proofs.joined_workers import Document, condition, items
from lab.proofs.lab_session import LabSession
from lab.running.node_names import Node

# A pod's network is a namespace with the pod's address; containerd keeps it below /run/netns.
_ENTER = """\
import glob, os, subprocess, sys

address, words = sys.argv[1], sys.argv[2:]
for path in glob.glob("/run/netns/*"):
    enter = ["nsenter", "--net=" + path]
    shown = subprocess.run(
        [*enter, "ip", "-o", "-4", "address"], capture_output=True, text=True, check=False
    ).stdout
    if " " + address + "/" in shown:
        os.execvp(enter[0], [*enter, *words])
sys.exit("no pod here has the address " + address)
"""


@dataclass(frozen=True)
class Pod:
    """What proofs ask of a pod."""

    name: str
    uid: str
    node: str
    """Its node's name; empty while it has none."""
    address: str
    ready: bool
    deleting: bool

    @property
    def serves(self) -> bool:
        """Whether it is ready, and stays."""
        return self.ready and not self.deleting


def pod(document: Document) -> Pod:
    """A pod from its object. Pure."""
    metadata, spec, status = (document.get(key, {}) for key in ("metadata", "spec", "status"))
    return Pod(
        name=metadata["name"],
        uid=metadata["uid"],
        node=spec.get("nodeName", ""),
        address=status.get("podIP", ""),
        ready=condition(document, "Ready").get("status") == "True",
        deleting="deletionTimestamp" in metadata,
    )


def pods(session: LabSession, namespace: str, selector: str = "") -> list[Pod] | None:
    """The pods of a namespace; None when the API does not answer."""
    found = items(session, f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}")
    return None if found is None else [pod(document) for document in found]


def within_network(session: LabSession, machine: Node, address: str, *words: str) -> str:
    """What a program of a worker prints that runs in the network of the pod with that address.

    It needs nothing of the pod's image. Raises LabError when it fails.
    """
    return session.within(machine, "python3", "-I", "-c", _ENTER, address, *words)


def execute(session: LabSession, namespace: str, name: str, *words: str) -> Any:  # noqa: ANN401 - of subprocess
    """How a program within a pod ends, through the API (`kubectl exec`)."""
    return session.kubectl.attempt("exec", "--namespace", namespace, name, "--", *words)
