"""Load on the API while a proof goes on: clients of every kind, from a place in the VPC.

The clients are a Go program's (lab/binaries/apiload): client-go's connections, and latencies that
no other thread of this process adds to.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lab.binaries.apiload import built_apiload
from lab.lab_errors import LabError
from lab.proofs.load import history, history_verdict
from lab.proofs.load.history import Request
from lab.proofs.load.history_verdict import Verdict
from lab.proofs.polling import until
from lab.running.kubectl_runner import in_memory

CLIENTS: Mapping[str, int] = {"fresh": 3, "kept": 3, "pinging": 3, "next": 3, "http1": 3}
"""How many by kind (lab/binaries/apiload/transports.go)."""
WATCHERS = 2
PAUSE = 0.1
"""Seconds of a client between two requests, on average."""
PATIENCE = 60.0
"""Seconds after which a client gives up a request: never what limits a figure."""
LONGEST = 1800.0
"""Seconds after which a load ends that nobody ended."""

_BEGUN = '"op":"begin"'

Within = Callable[[Sequence[str]], list[str]]
"""The command that runs a command elsewhere, such as `Client.command`."""


@dataclass
class ApiLoad:
    """A load; what it saw is there once it has ended."""

    records: list[Request] = field(default_factory=list)
    """Every request, and what the watchers saw."""
    verdict: Verdict = field(init=False)


@contextmanager
def api_load(
    kubeconfig: bytes,
    namespace: str,
    kept: Path,
    *,
    within: Within = list,
    clients: Mapping[str, int] = CLIENTS,
) -> Iterator[ApiLoad]:
    """Load the API while the context lasts; `kept` is the file of every request, as lines of JSON.

    The cluster has to be well again when the context ends: every object is read a last time. Raises
    EngineError when the program cannot be built, LabError when it fails, and AssertionError when
    writes were lost, reads stale, events missed or the history is not linearizable.
    """
    program = built_apiload(lambda text: print(text, file=sys.stderr)) / "apiload"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.unlink(missing_ok=True)
    load = ApiLoad()
    with tempfile.TemporaryFile() as complaints:
        with in_memory(kubeconfig) as descriptor:
            flags = {
                "kubeconfig": f"/dev/fd/{descriptor}",
                "namespace": namespace,
                "out": kept.absolute(),
                **_numbers(clients),
            }
            words = [f"-{flag}={value}" for flag, value in flags.items()]
            process = subprocess.Popen(
                within([str(program), "run", *words]),
                # Of a person's environment nothing: no proxy, which could not reach the VPC.
                env={"PATH": os.environ["PATH"]},
                pass_fds=(descriptor,),
                stdin=subprocess.DEVNULL,
                stdout=complaints,
                stderr=complaints,
            )
        try:
            until("the load has begun", lambda: _begun(kept) or process.poll() is not None)
            _fail_if_over(process, complaints)
            yield load
            _fail_if_over(process, complaints)
            process.send_signal(signal.SIGTERM)
            # What is under way ends; then registers and objects are read, each within the patience
            # and one more request.
            if process.wait(6 * PATIENCE):
                raise _failure(complaints)
        finally:
            process.kill()
            process.wait()
    with kept.open() as lines:
        load.records += history.parse(lines)
    load.verdict = check(program, kept)
    complaint = load.verdict.complaint()
    assert not complaint, complaint


def check(program: Path, kept: Path) -> Verdict:
    """The verdict on the records in a file. Raises LabError."""
    done = subprocess.run([program, "check", kept], capture_output=True, text=True, check=False)
    if done.stderr:
        raise LabError(f"the records of the load were not judged: {done.stderr.strip()}")
    return history_verdict.parse(done.stdout)


def _numbers(clients: Mapping[str, int]) -> dict[str, object]:
    return {
        "clients": ",".join(f"{kind}={count}" for kind, count in clients.items()),
        "watchers": WATCHERS,
        "pause": f"{PAUSE}s",
        "patience": f"{PATIENCE}s",
        "seconds": LONGEST,
    }


def _begun(kept: Path) -> bool:
    return kept.exists() and _BEGUN in kept.read_text()


def _fail_if_over(process: "subprocess.Popen[bytes]", complaints: IO[bytes]) -> None:
    if process.poll() is not None:
        raise _failure(complaints)


def _failure(complaints: IO[bytes]) -> LabError:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return LabError(f"The load of the API has ended: {lines[-1] if lines else 'too early'}")
