"""The example application in a namespace of a proof's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.proofs.joined_workers import read
from lab.proofs.kubernetes_api import namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.pods import Pod, pods
from lab.proofs.polling import until_none
from lab.workspace import ROOT

DIRECTORY = ROOT / "examples/application"
NAME = "web"
PORT, POD_PORT = 80, 8080
STARTS = 300.0
"""Seconds in which an image is fetched and replicas answer, on a busy machine."""


@dataclass(frozen=True)
class Application:
    """The application while its namespace lasts."""

    session: LabSession
    namespace: str
    replicas: int
    address: str
    """Of its Service."""

    def pods(self) -> list[Pod]:
        """Its pods, those that end included. Raises AssertionError when nobody answers."""
        found = self.attempt_pods()
        assert found is not None, "the API does not answer"
        return found

    def attempt_pods(self) -> list[Pod] | None:
        """Its pods; None when the API does not answer."""
        return pods(self.session, self.namespace, f"app={NAME}")

    def lacking(self) -> list[str]:
        """What keeps it from being whole, a phrase each."""
        found = self.attempt_pods()
        if found is None:
            return ["the API does not answer"]
        serving = [one for one in found if one.serves]
        if len(serving) == self.replicas:
            return []
        others = [
            f"{one.name} on {one.node or 'no node'} is {'ending' if one.deleting else 'not ready'}"
            for one in found
            if not one.serves
        ]
        return [f"{len(serving)} of {self.replicas} replicas serve", *others]


@contextmanager
def application(session: LabSession, name: str) -> Iterator[Application]:
    """Have it in a namespace of that name, which goes however the proof ends. Raises as `apply`."""
    with namespace(session.kubectl, name):
        yield apply(session, name)


def apply(session: LabSession, name: str) -> Application:
    """Apply it in a namespace that is there, and wait until every replica answers.

    Raises LabError when Kubernetes refuses it, AssertionError when it does not get ready.
    """
    session.kubectl.output("apply", "--namespace", name, "--filename", str(DIRECTORY))
    path = f"/namespaces/{name}"
    deployment = read(session, f"/apis/apps/v1{path}/deployments/{NAME}")
    service = read(session, f"/api/v1{path}/services/{NAME}")
    assert deployment is not None, "the API does not answer"
    assert service is not None, "the API does not answer"
    made = Application(session, name, deployment["spec"]["replicas"], service["spec"]["clusterIP"])
    until_none("the application serves", made.lacking, STARTS)
    return made
