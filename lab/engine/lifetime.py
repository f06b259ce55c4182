"""Children that cannot outlive their parent."""

# ruff: noqa: ANN401 options go to Popen as they are

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends when the thread that made the child ends."""


def _die_with_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def start(
    command: Sequence[str], environment: Mapping[str, str], **options: Any
) -> subprocess.Popen[bytes]:
    """Start a child that the kernel kills with this process, even if that is killed by SIGKILL.

    Call it from the main thread and before other threads start: the kernel counts the death of
    the calling thread, and code between fork and exec is only safe in a single-threaded process.
    """
    return subprocess.Popen(
        command,
        env=dict(environment),
        preexec_fn=_die_with_parent(),  # noqa: PLW1509 see above: single-threaded by contract
        **options,
    )
