"""Runner of one Pulumi program in the program's own environment, which has no `lab` package.

Usage: runner.py <host's pid> <descriptor for the answer>; the request comes on standard input.
"""

# ruff: noqa: PLC0415 the host must be able to end the process before slow imports begin

import asyncio
import ctypes
import gc
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi.runtime.proto import language_pb2

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends when the parent ends."""


def die_with(parent: int) -> None:
    """Let the kernel end this process with the host, in whatever way that ends."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def run(request: "language_pb2.RunRequest", entry: Path) -> "language_pb2.RunResponse":
    """Run the program against the engine of the request; return a RunResponse."""
    import grpc
    from pulumi import RunError, log
    from pulumi.runtime import reset_options, run_in_stack, set_all_config
    from pulumi.runtime.proto import language_pb2

    reset_options(
        project=request.project,
        monitor_address=request.monitor_address,
        engine_address=request.args[0],
        stack=request.stack,
        parallel=request.parallel,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    set_all_config(dict(request.config), list(request.configSecretKeys))
    # asyncio reports the failures of tasks that the first failure made pointless.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request.parallel, 1) * 4))
    # Reported problems are the program's last word: the engine must not add its own.
    reported = language_pb2.RunResponse(bail=True)
    try:
        loop.run_until_complete(run_in_stack(lambda: _program(entry)))
    except RunError as problem:
        log.error(str(problem))
        return reported
    except grpc.RpcError as problem:
        # The engine is ending when its monitor is gone; it knows why.
        if problem.code() != grpc.StatusCode.UNAVAILABLE:
            log.error(problem.details() or str(problem))
        return reported
    except SystemExit as end:
        if end.code in (None, 0):
            return language_pb2.RunResponse()
        log.error(end.code if isinstance(end.code, str) else f"the program ended with {end.code}")
        return reported
    except BaseException:
        log.error("the program failed with an unhandled exception:\n" + traceback.format_exc())
        return reported
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                loop.run_until_complete(task)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return language_pb2.RunResponse()


def _program(entry: Path) -> None:
    runpy.run_path(str(entry), run_name="__main__")


def main() -> None:
    """Read the request, run, answer."""
    parent, descriptor = (int(argument) for argument in sys.argv[1:3])
    die_with(parent)
    # The SDKs make hundreds of thousands of objects that live as long as this process: looking for
    # garbage among them would take a fifth of the time that it computes.
    gc.disable()
    if sys.pycache_prefix:
        sys.dont_write_bytecode = False
    from pulumi.runtime.proto import language_pb2

    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    directory = Path(request.info.program_directory or request.pwd)
    entry = directory / (request.info.entry_point or ".")
    sys.path[0] = str(entry if entry.is_dir() else entry.parent)
    sys.argv = [str(entry)]
    answer = run(request, entry)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(answer.SerializeToString())


if __name__ == "__main__":
    main()
