"""Runs of the program: one fresh process each, which cannot outlive the host."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pulumi.runtime.proto import language_pb2

RUNNER = Path(__file__).with_name("runner.py")


class Programs:
    """The program processes of this host."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()

    def output(self, command: Sequence[str]) -> str:
        """What a short command prints."""
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def run(
        self, python: Path, request: language_pb2.RunRequest, engine_address: str
    ) -> language_pb2.RunResponse:
        """Run the program; the request, which holds secrets, goes through a pipe."""
        del request.args[:]
        request.args.append(engine_address)
        reading, writing = os.pipe()
        with open(reading, "rb") as answers:  # noqa: PTH123 a descriptor, not a path
            process = subprocess.Popen(
                [*_interpreter(python), str(RUNNER), str(os.getpid()), str(writing)],
                stdin=subprocess.PIPE,
                cwd=request.info.program_directory or request.pwd,
                pass_fds=(writing,),
            )
            os.close(writing)
            self._running.add(process)
            try:
                if process.stdin is not None:
                    process.stdin.write(request.SerializeToString())
                    process.stdin.close()
                answer = answers.read()
                status = process.wait()
            finally:
                self._running.discard(process)
        if status == 0:  # the answer of a run without problems has no fields: no bytes at all
            return language_pb2.RunResponse.FromString(answer)
        if status in {-signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL}:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with status {status}")

    def end(self) -> None:
        """End every program that is running."""
        for process in list(self._running):
            process.kill()


def _interpreter(python: Path) -> list[str]:
    """Python, unbuffered, with the host's place for compiled modules."""
    prefix = sys.pycache_prefix
    return [str(python), "-u", *(["-X", f"pycache_prefix={prefix}"] if prefix else [])]
