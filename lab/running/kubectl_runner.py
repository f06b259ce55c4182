"""kubectl with the stack's own kubeconfig, through the load balancer.

The kubeconfig holds a private key. It goes from Pulumi to kubectl through memory: a file that is on
no disk, that ends with the command, and of which the arguments tell no more than a number.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.binaries.kubernetes import built_kubernetes
from lab.lab_errors import LabError
from lab.running.lab import RunningLab
from lab.running.stack import kubeconfig
from lab.running.vpc_client import Client, client

SECONDS = 120.0
"""That a kubectl gets which nobody watches."""


@dataclass(frozen=True)
class Kubectl:
    """A kubectl that is ready to run, any number of times."""

    program: Path
    place: Client
    kubeconfig: bytes
    cache: Path
    """Where it keeps what it discovered of the API."""

    def __repr__(self) -> str:
        """Without the key, which a failing proof would print."""
        return f"Kubectl({self.program}, {self.place})"

    def output(self, *arguments: str, stdin: str = "") -> str:
        """What it prints. Raises LabError with its complaint."""
        done = self.attempt(*arguments, stdin=stdin)
        if done.returncode:
            raise LabError(f"`kubectl {' '.join(arguments)}` failed: {done.stderr.strip()}")
        return done.stdout

    def attempt(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """How it ends."""
        return self._start(arguments, input=stdin, capture_output=True, text=True, timeout=SECONDS)

    def run(self, arguments: Sequence[str]) -> int:
        """Run it on this terminal; its exit code."""
        return self._start(arguments).returncode

    def _start(self, arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:  # noqa: ANN401 - of subprocess
        with in_memory(self.kubeconfig) as descriptor:
            return subprocess.run(
                self.place.command([str(self.program), *arguments]),
                env=self._environment(descriptor),
                pass_fds=(descriptor,),
                check=False,
                **options,
            )

    def _environment(self, descriptor: int) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        path = {"KUBECONFIG": f"/dev/fd/{descriptor}", "KUBECACHEDIR": str(self.cache)}
        return {**kept, **path}


_KEPT = ("PATH", "HOME", "TERM", "LANG", "EDITOR", "KUBE_EDITOR", "COLUMNS")
"""What kubectl may know of a person's environment: no proxy, which could not reach the VPC."""


def kubectl(lab: RunningLab) -> Kubectl:
    """kubectl for the lab's stack. Raises LabError, and EngineError when it cannot be built."""
    return Kubectl(
        built_kubernetes(_tell) / "kubectl",
        client(lab),
        kubeconfig(lab),
        lab.layout.base / "kubectl",
    )


def _tell(text: str) -> None:
    """Progress, out of the way of what kubectl prints."""
    print(text, file=sys.stderr)


@contextmanager
def in_memory(content: bytes) -> Iterator[int]:
    """The descriptor of a file that is on no disk, for children too."""
    descriptor = os.memfd_create("kubeconfig")
    try:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - of the library
        os.write(descriptor, content)
        yield descriptor
    finally:
        os.close(descriptor)
