"""Load of the API of a lab, around what a proof does to it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.proofs.kubernetes_api import namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.load.api_load import ApiLoad, api_load

NAMESPACE = "proof-load"
HISTORIES = Path("build/failover")
"""Every request of each load, below the project's directory."""
AROUND = 4.0
"""Seconds of load before anything happens, and after it."""


@contextmanager
def under_load(session: LabSession, name: str) -> Iterator[ApiLoad]:
    """Load from a place in the VPC, in a namespace of its own; `name` is of its file.

    Raises AssertionError when a write was lost, a read stale, or the history is not linearizable.
    """
    with (
        namespace(session.kubectl, NAMESPACE) as own,
        api_load(
            session.kubectl.kubeconfig,
            own,
            session.lab.workspace.project / HISTORIES / f"{name}.jsonl",
            within=session.kubectl.place.command,
        ) as load,
    ):
        time.sleep(AROUND)
        yield load
        time.sleep(AROUND)
