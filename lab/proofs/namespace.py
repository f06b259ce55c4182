"""A Kubernetes namespace that a proof writes into."""

from collections.abc import Iterator
from contextlib import contextmanager

from lab.running.kubectl import Kubectl


@contextmanager
def namespace(kubectl: Kubectl, name: str) -> Iterator[str]:
    """Make it anew, also after a run that was killed; it goes however the proof ends.

    Raises LabError when it cannot be made, or its removal is not accepted.
    """
    kubectl.attempt("delete", "namespace", name, "--ignore-not-found")
    kubectl.output("create", "namespace", name)
    try:
        yield name
    finally:
        kubectl.output("delete", "namespace", name, "--ignore-not-found", "--wait=false")
