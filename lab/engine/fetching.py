"""Official downloads into the cache: the CLI by the SDK's installer, plugins by the CLI.

A part is published when all of it is there. A site that cannot be reached costs seconds, a
download that stands still or takes too long is ended, and the next run tries again. With
HA_LAB_OFFLINE set nothing is downloaded, and nothing that was downloaded is used.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from lab.engine import download_sites
from lab.engine.cache import cache_directory, published
from lab.engine.cli.pulumi_cli import VERSION
from lab.engine.model import EngineError, Report

OFFLINE = "HA_LAB_OFFLINE"
INSTALLER = Path(__file__).parent / "cli" / "official_installer.py"

STALL_SECONDS = 30.0
"""A download that writes nothing for this long is ended."""
LIMIT_SECONDS = 600.0
"""A download that takes longer is ended: the AWS plugin has hundreds of megabytes."""
REPORT_SECONDS = 15.0
"""Between two lines of progress."""
POLL_SECONDS = 0.5


def fetched_cli(report: Report) -> Path | None:
    """The official CLI in the cache, downloaded first if need be; None where it cannot be."""
    return _fetched(
        report,
        title=f"Pulumi's CLI {VERSION}",
        name=f"official-cli-{VERSION}",
        sites=download_sites.CLI,
        command=[sys.executable, "-P", str(INSTALLER), VERSION],
        program=Path("bin", "pulumi"),
        # On macOS the install script downloads to a place of its own, out of sight.
        stall=LIMIT_SECONDS if sys.platform == "darwin" else STALL_SECONDS,
    )


def fetched_plugin(pulumi: Path, name: str, version: str, report: Report) -> Path | None:
    """The directory of an official resource plugin in the cache, as `fetched_cli`."""
    program = _fetched(
        report,
        title=f"Pulumi's {name} plugin {version}",
        name=f"official-{name}-{version}",
        sites=download_sites.plugin_sites(),
        command=[str(pulumi), "plugin", "install", "resource", name, version, "--exact"],
        program=Path("plugins", f"resource-{name}-v{version}", f"pulumi-resource-{name}"),
        stall=STALL_SECONDS,
    )
    return None if program is None else program.parent


def _fetched(
    report: Report,
    *,
    title: str,
    name: str,
    sites: Sequence[str],
    command: Sequence[str],
    program: Path,
    stall: float,
) -> Path | None:
    """What `command` puts at `program` below PULUMI_HOME."""
    if os.environ.get(OFFLINE):
        return None
    directory = cache_directory() / name
    if not directory.is_dir() and not download_sites.reachable(sites):
        report(f"{title}: not downloaded, {download_sites.hosts(sites)} cannot be reached")
        return None

    def download(work: Path) -> None:
        report(f"downloading {title}, once, from one of {download_sites.hosts(sites)}")
        _run(command, work, lambda process: _watch(process, work, title, stall, report))
        partial = (work / program.parent).with_name(program.parent.name + ".partial")
        if not os.access(work / program, os.X_OK) or partial.exists():
            raise EngineError("the download is not complete")

    try:
        return published(directory, download) / program
    except (EngineError, OSError) as problem:
        report(f"{title}: not downloaded, {problem}")
        return None


def _run(
    command: Sequence[str], work: Path, watch: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    """Run the command with PULUMI_HOME at `work`; raises EngineError if it fails."""
    # What it downloads first goes below `work` too: so it can be watched, and goes with it.
    scratch = work / "tmp"
    scratch.mkdir()
    environment = {
        **os.environ,
        "PULUMI_HOME": str(work),
        "TMPDIR": str(scratch),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The name and version say all; Pulumi Cloud need not be asked.
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
    }
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            command,
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        ) as process,
    ):
        try:
            watch(process)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        if process.returncode != 0:
            raise EngineError(_complaint(output))
    shutil.rmtree(scratch)


def _watch(
    process: subprocess.Popen[bytes], work: Path, title: str, stall: float, report: Report
) -> None:
    """Wait for its end; raises EngineError when it takes too long."""
    began = grown = said = time.monotonic()
    size = 0
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
            return
        now, before, size = time.monotonic(), size, _size(work)
        if size != before:
            grown = now
        if now - said > REPORT_SECONDS:
            said = now
            report(f"{title}: {size >> 20} MiB")
        if now - grown > stall:
            raise EngineError(f"nothing came for {stall:.0f} s")
        if now - began > LIMIT_SECONDS:
            raise EngineError(f"it took longer than {LIMIT_SECONDS:.0f} s")


def _size(directory: Path) -> int:
    """Bytes of all files below a directory in which files come and go."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


def _complaint(output: IO[bytes]) -> str:
    """The last line that is marked as an error, or the last line."""
    output.seek(0)
    text = re.sub(r"\x1b\[[0-9;]*m", "", output.read().decode(errors="replace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line for line in lines if line.startswith("error:")]
    return (marked or lines or ["no reason given"])[-1].removeprefix("error:").strip()
