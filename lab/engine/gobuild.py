"""Programs built from pinned Go modules, once per set of inputs, and kept in the cache.

A program of this project has its source beside its go.mod.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

from lab.engine.cache import cache_directory, digest, published
from lab.engine.golang import go_toolchain
from lab.engine.model import EngineError, Report

REPORT_EVERY = 100
"""Packages compiled between two lines of progress."""

# What most compilers allocate fits into memory as a whole, so they never collect; the few large
# ones and the linker start when they come to the limit. It saves a tenth of the processor time.
# A compiler for each processor, which keeps to one: that saves another seventh.
ENVIRONMENT: Mapping[str, str] = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "",
    "GOWORK": "off",
    "GOGC": "off",
    "GOMEMLIMIT": "2GiB",
    "GOMAXPROCS": "1",
}


@dataclass(frozen=True, kw_only=True)
class GoBuild:
    """What is built, and from what."""

    title: str
    """What people call it: "etcd", "Pulumi 3.276.0"."""
    name: str
    """What its directory in the cache begins with."""
    module: Path
    """The directory of the go.mod and go.sum that pin every module of the build, and of its own
    source, if it has any."""
    packages: Mapping[str, str]
    """Package by the name of its binary."""
    tags: str = ""
    """Build tags, such as those of upstream's own build."""
    instead: Mapping[str, Path] = field(default_factory=dict)
    """Directory of the source that takes a package's place, by the package's path: of what nothing
    here calls and takes long to compile."""
    linker: str = "-s -w"
    """Flags of the linker, such as the version to put in."""
    cgo: bool = False
    """Whether C is compiled too, with the compiler and the libraries of this computer."""
    estimate: str
    """How long it takes, for people."""
    disk: str
    """Free disk space that it needs, for people."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of `go build`."""
        # The linker drops debug information anyway (-s -w); a compiler that makes none saves
        # another tenth. Tracebacks and profiles do not use it.
        debug = "-gcflags=all=-dwarf=false"
        tags = ("-tags", self.tags) if self.tags else ()
        # Without -trimpath: with it, what is compiled depends on what a go.mod requires, whatever
        # replaces that, and builds of the same source would not share it.
        always = ("-mod=readonly", "-buildvcs=false")
        return (*always, debug, *tags, "-ldflags", self.linker)

    def built(self, report: Report) -> Path:
        """The directory of the binaries in the cache, built first if need be; EngineError."""
        names = ("go.mod", "go.sum", *sorted(path.name for path in self.module.glob("*.go")))
        files = {name: (self.module / name).read_bytes() for name in names}
        other = [p.read_bytes() for one in self.instead.values() for p in sorted(one.glob("*.go"))]
        key = digest(*files.values(), *other, *self.packages, *self.instead, *self.flags)[:16]
        directory = cache_directory() / f"{self.name}-{key}"

        def build(work: Path) -> None:
            go = go_toolchain(report)
            report(f"building {self.title} from its Go modules: {self.estimate} on 2 cores, once")
            # Go builds beside its module files only; a copy keeps the checkout read-only.
            with tempfile.TemporaryDirectory(prefix="go-module-") as module:
                for name, content in files.items():
                    (Path(module) / name).write_bytes(content)
                self._replace(go, Path(module))
                self._build(go, Path(module), work, report)
            for binary, package in self.packages.items():
                (work / _executable(package)).rename(work / binary)

        return published(directory, build)

    def _replace(self, go: Path, module: Path) -> None:
        """Let copies of modules, with `instead` in the places of packages, be built from."""

        def output(*arguments: str) -> str:
            command = [str(go), *arguments]
            done = subprocess.run(
                command,
                cwd=module,
                env={**os.environ, **ENVIRONMENT},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise EngineError(f"preparing {self.title} failed: {done.stderr.strip()}")
            return done.stdout

        copies: dict[str, Path] = {}
        for package, source in self.instead.items():
            name = output("list", "-find", "-f", "{{.Module.Path}}", package).strip()
            if name not in copies:
                found = json.loads(output("mod", "download", "-json", name))
                copies[name] = module / f"{name}@{found['Version']}"
                with ZipFile(found["Zip"]) as content:
                    wanted = [n for n in content.namelist() if "/testdata/" not in n]
                    content.extractall(module, wanted)
            place = copies[name] / package.removeprefix(f"{name}/")
            # Packages below it are others.
            for file in [path for path in place.iterdir() if path.is_file()]:
                file.unlink()
            shutil.copytree(source, place, dirs_exist_ok=True)
        # At the end: what is replaced already is not downloaded.
        for name, copy in copies.items():
            output("mod", "edit", f"-replace={name}=./{copy.relative_to(module)}")

    def _build(self, go: Path, module: Path, target: Path, report: Report) -> None:
        log = cache_directory() / f"{self.name}.log"
        packages = self.packages.values()
        parallel = ("-p", str(os.cpu_count() or 1))
        with (
            # Whoever waits for the lock tries again at once, and keeps what the first one said.
            log.open("a") as lines,
            subprocess.Popen(
                # One call for all: each loads and hashes the sources of all modules again.
                [str(go), "build", "-v", *parallel, *self.flags, "-o", f"{target}/", *packages],
                cwd=module,
                # Go that is killed leaves its files behind; here they go with the module's copy.
                env={
                    **os.environ,
                    **ENVIRONMENT,
                    "CGO_ENABLED": str(int(self.cgo)),
                    "GOTMPDIR": str(module),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                process_group=0,
            ) as process,
        ):
            try:
                complaint = _follow(process, lines.write, report)
            except BaseException:
                # The compilers too: they would go on without it.
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if process.returncode != 0:
            raise EngineError(
                f"building {self.title} failed ({complaint or 'no reason given'}): check the "
                f"connection to the Go module registry and the free disk space ({self.disk}), "
                f"then try again; the compiler's output is in {log}"
            )
        log.unlink(missing_ok=True)


def _executable(package: str) -> str:
    """The name that `go build` gives to a package's binary."""
    *_, parent, name = package.split("/")
    return parent if re.fullmatch(r"v[0-9]+", name) else name


def _follow(process: subprocess.Popen[str], keep: Callable[[str], int], report: Report) -> str:
    """Read the compiler's output to its end; the last line of it that is a complaint."""
    compiled = downloaded = 0
    complaint = ""
    for line in process.stdout or ():
        keep(line)
        if line.startswith("go: downloading"):
            downloaded += 1
            if downloaded % REPORT_EVERY == 0:
                report(f"{downloaded} modules downloaded")
        elif " " in line:
            # Packages that do not need the failed one are still compiled after it.
            complaint = line.strip()
        else:
            compiled += 1
            if compiled % REPORT_EVERY == 0:
                report(f"{compiled} packages compiled")
    return complaint
