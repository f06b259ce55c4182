"""What is downloaded officially, when no download is tried, and what a failed one leaves."""

import math
import os
import re
import socket
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import trustme

from lab.engine import download_sites, fetching, providing
from lab.engine.cli.pulumi_cli import VERSION
from lab.engine.fetching import fetched_cli, fetched_plugin
from lab.engine.model import EngineError
from lab.tests.download_site import Site, serving

UNKNOWN = ("https://no-such-host.invalid",)
GONE = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", download_sites.OVERRIDES)


@pytest.fixture
def online(monkeypatch, tmp_path):
    """Downloads are allowed; the real sites are out of reach."""
    for name in (fetching.OFFLINE, "PULUMI_HOME", *VARIABLES, *map(str.lower, VARIABLES)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(download_sites, "PLUGINS", UNKNOWN)
    monkeypatch.setattr(download_sites, "CLI", UNKNOWN)
    return tmp_path


@pytest.fixture
def port():
    """A port of loopback that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def mirror(online, monkeypatch, port):
    """A mirror of plugins that accepts connections."""
    monkeypatch.setenv(download_sites.OVERRIDES, f"^github://=http://127.0.0.1:{port}")


def cli(directory: Path, script: str) -> Path:
    """A program in the place of the CLI."""
    program = directory / "pulumi"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def left(tmp_path: Path) -> list[str]:
    """The parts, whole or half, in the cache."""
    cache = tmp_path / "cache/ha-kubernetes/engine"
    return [path.name for path in cache.iterdir() if path.is_dir()] if cache.exists() else []


def ends(number: int) -> bool:
    """Whether a process is gone, or soon is; nobody may be there to collect it."""
    for _ in range(200):
        try:
            if psutil.Process(number).status() in GONE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


PLUGIN = "plugins/resource-tls-v1.2.3"
INSTALL = (
    f'mkdir -p "$PULUMI_HOME/{PLUGIN}"; echo > "$PULUMI_HOME/{PLUGIN}/pulumi-resource-tls"; '
    f'chmod +x "$PULUMI_HOME/{PLUGIN}/pulumi-resource-tls"'
)


def test_the_tests_are_offline():
    assert os.environ[fetching.OFFLINE] == "1"


def test_offline_nothing_is_tried_and_nothing_downloaded_is_used(online, monkeypatch, mirror):
    pulumi = cli(online, f"{INSTALL}; echo run >> {online}/runs")
    assert fetched_plugin(pulumi, "tls", "1.2.3", print) is not None
    monkeypatch.setenv(fetching.OFFLINE, "1")
    said = []
    assert fetched_plugin(pulumi, "tls", "1.2.3", said.append) is None
    assert fetched_plugin(pulumi, "tls", "1.2.4", said.append) is None
    assert fetched_cli(said.append) is None
    assert said == []
    assert (online / "runs").read_text() == "run\n"


def test_without_a_network_it_is_said_and_no_program_is_run(online):
    said = []
    pulumi = cli(online, f"touch {online}/ran")
    assert fetched_plugin(pulumi, "tls", "1.2.3", said.append) is None
    assert fetched_cli(said.append) is None
    host = "no-such-host.invalid cannot be reached"
    assert said == [
        f"Pulumi's tls plugin 1.2.3: not downloaded, {host}",
        f"Pulumi's CLI {VERSION}: not downloaded, {host}",
    ]
    assert not (online / "ran").exists()
    assert left(online) == []


def test_a_site_that_says_nothing_costs_the_limit_and_is_asked_once(online, monkeypatch):
    monkeypatch.setattr(download_sites, "PROBE", "import time; time.sleep(60)")
    monkeypatch.setattr(download_sites, "CONNECT_SECONDS", 0.2)
    silent = ("https://silent.invalid",)
    assert not download_sites.reachable(silent)
    monkeypatch.setattr(download_sites.subprocess, "run", None)
    assert not download_sites.reachable(silent)


def test_a_proxy_is_what_must_be_reached(online, monkeypatch, port):
    assert not download_sites.reachable(UNKNOWN)
    monkeypatch.setenv("https_proxy", f"http://user:secret@127.0.0.1:{port}")
    assert download_sites.reachable(UNKNOWN)
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{port}")
    assert download_sites.reachable(UNKNOWN)
    monkeypatch.setenv("no_proxy", "127.0.0.1,.invalid")
    assert not download_sites.reachable(UNKNOWN)


def test_a_mirror_is_enough(online, monkeypatch, port):
    pairs = f"^github://x=https://mirror.invalid/${{org}},^https://get=http://127.0.0.1:{port}/p"
    monkeypatch.setenv(download_sites.OVERRIDES, pairs)
    sites = download_sites.plugin_sites()
    assert sites == ["https://mirror.invalid/${org}", f"http://127.0.0.1:{port}/p", *UNKNOWN]
    assert download_sites.reachable(sites)
    assert not download_sites.reachable(download_sites.CLI)


@pytest.mark.parametrize("url", ["file:///mirror", "https://[broken", "https://host:port/"])
def test_an_address_that_is_not_understood_is_left_to_the_cli(online, url):
    assert download_sites.reachable([url])


def test_no_password_is_shown():
    assert download_sites.hosts(["https://user:secret@mirror.example/x"]) == "mirror.example"


def test_the_environment_reaches_the_cli_and_its_home_is_not_the_users(online, monkeypatch, mirror):
    monkeypatch.setenv("NO_PROXY", "mirror.example")
    pulumi = cli(online, f"{INSTALL}; env > {online}/env; echo $@ > {online}/arguments")
    assert fetched_plugin(pulumi, "tls", "1.2.3", print) is not None
    variables = dict(line.split("=", 1) for line in (online / "env").read_text().splitlines())
    assert variables["NO_PROXY"] == "mirror.example"
    assert variables[download_sites.OVERRIDES] == os.environ[download_sites.OVERRIDES]
    assert Path(variables["PULUMI_HOME"]).is_relative_to(online / "cache")
    assert Path(variables["TMPDIR"]).is_relative_to(variables["PULUMI_HOME"])
    assert (online / "arguments").read_text() == "plugin install resource tls 1.2.3 --exact\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (f"{INSTALL}; touch $PULUMI_HOME/{PLUGIN}.partial", "the download is not complete"),
        ("exit 0", "the download is not complete"),
        ("echo 'error: no space'; echo later; exit 1", "no space"),
        ("echo only this; exit 1", "only this"),
        ("exit 1", "no reason given"),
    ],
)
def test_what_is_not_whole_is_not_there_afterwards(online, mirror, script, reason):
    said = []
    assert fetched_plugin(cli(online, script), "tls", "1.2.3", said.append) is None
    assert said[-1] == f"Pulumi's tls plugin 1.2.3: not downloaded, {reason}"
    assert left(online) == []
    assert fetched_plugin(cli(online, INSTALL), "tls", "1.2.3", said.append) is not None


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("sleep 600", "nothing came for 30 s"),
        ("while :; do echo x >> $TMPDIR/file; sleep 0.05; done", "it took longer than 600 s"),
    ],
)
def test_a_download_over_a_limit_is_ended_with_its_children(
    online, mirror, monkeypatch, script, reason
):
    child = online / "child"
    if "longer" in reason:
        monkeypatch.setattr(fetching, "STALL_SECONDS", math.inf)
    # Hours pass when the child is there, which may be before the first look at the clock.
    looks = count()
    clock = SimpleNamespace(monotonic=lambda: 9999.0 if next(looks) and child.exists() else 0.0)
    monkeypatch.setattr(fetching, "time", clock)
    monkeypatch.setattr(fetching, "POLL_SECONDS", 0.1)
    pulumi = cli(online, f"sleep 600 & echo $! > {child}.new; mv {child}.new {child}; {script}")
    said = []
    assert fetched_plugin(pulumi, "tls", "1.2.3", said.append) is None
    title = "Pulumi's tls plugin 1.2.3"
    assert said[1:] == [f"{title}: 0 MiB", f"{title}: not downloaded, {reason}"]
    assert left(online) == []
    assert ends(int(child.read_text()))


def test_an_interrupted_download_is_ended_and_leaves_nothing(online, mirror, monkeypatch):
    monkeypatch.setattr(fetching, "POLL_SECONDS", 0.1)

    def interrupt(_directory: Path) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "_size", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetched_plugin(cli(online, "sleep 600"), "tls", "1.2.3", print)
    assert left(online) == []


@pytest.fixture
def pulumi_site(online, monkeypatch):
    """A proxy that is get.pulumi.com, trusted."""
    ca = trustme.CA()
    issued = ca.issue_cert("get.pulumi.com")
    trusted, chain, private = (online / name for name in ("ca.crt", "site.crt", "site.key"))
    ca.cert_pem.write_to_path(trusted)
    issued.cert_chain_pems[0].write_to_path(chain)
    issued.private_key_pem.write_to_path(private)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setattr(download_sites, "CLI", ("https://get.pulumi.com",))
    with serving(Site(), (chain, private)) as site:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{site.port}")
        yield site


def install_script(version: str) -> bytes:
    """A script that takes the options of Pulumi's and installs a CLI without a download."""
    return f"""#!/bin/sh
while [ $# -gt 0 ]; do
    case "$1" in
        --install-root) root=$2; shift 2;;
        --version) version=$2; shift 2;;
        --no-edit-path) shift;;
        *) echo "unknown option $1"; exit 2;;
    esac
done
[ "$version" = {VERSION} ] || exit 3
mkdir "$root/bin"
printf '#!/bin/sh\\necho v{version}\\n' > "$root/bin/pulumi"
cp "$root/bin/pulumi" "$root/bin/pulumi-language-python"
chmod +x "$root"/bin/*
""".encode()


def test_the_cli_comes_by_the_sdks_installer_through_a_proxy(online, pulumi_site):
    pulumi_site.content = install_script(VERSION)
    said = []
    found = fetched_cli(said.append)
    assert found is not None
    assert found.parent.parent.parent == online / "cache/ha-kubernetes/engine"
    assert pulumi_site.asked == ["get.pulumi.com /install.sh"]
    assert said == [f"downloading Pulumi's CLI {VERSION}, once, from one of get.pulumi.com"]
    assert fetched_cli(said.append) == found
    assert len(pulumi_site.asked) == 1


@pytest.mark.parametrize(
    ("script", "fault", "reason"),
    [
        (b"#!/bin/sh\necho looking; echo no release; exit 1\n", "", "no release"),
        (b"#!/bin/sh\n", "", "No such file"),
        (b"#!/bin/sh\n", "absent", "404"),
        (install_script("3.1.0"), "", "Minimum version requirement failed"),
        (install_script(VERSION), "truncated", ""),
    ],
)
def test_a_cli_that_is_not_installed_leaves_nothing(online, pulumi_site, script, fault, reason):
    pulumi_site.content, pulumi_site.fault = script, fault
    said = []
    assert fetched_cli(said.append) is None
    assert "not downloaded" in said[-1]
    assert reason in said[-1]
    assert "\n" not in said[-1]
    assert left(online) == []


@pytest.fixture
def parts(online, monkeypatch):
    """Where downloads come from and what serves instead; what was asked to download."""
    for name in ("aws", "tls"):
        program = online / name / f"pulumi-resource-{name}"
        program.parent.mkdir()
        program.write_text("official")
    official = cli(online / "official/bin", f"echo v{VERSION}")
    cli(online / "official/bin", f"echo v{VERSION}").with_name("pulumi-language-python").touch()
    built = cli(online / "built", "echo built")
    bridge = providing.aws_setup.Bridge(
        providing.aws_setup.TerraformProvider(built, "5.100.0"), online, online
    )
    monkeypatch.setattr(providing.aws_setup, "prepare", lambda *_: bridge)
    monkeypatch.setattr(providing, "built_cli", lambda _: built)
    asked = []

    def downloads(*, there: bool) -> list[str]:
        asked.clear()

        def one(name: str, path: Path) -> Path | None:
            asked.append(name)
            return path if there else None

        monkeypatch.setattr(providing, "fetched_cli", lambda _: one("cli", official))
        monkeypatch.setattr(
            providing, "fetched_plugin", lambda _cli, name, *_: one(name, online / name)
        )
        return asked

    return downloads


def test_what_was_downloaded_is_used(online, parts):
    asked = parts(there=True)
    engine = providing.provide(online / "lab", print)
    assert engine.pulumi == online / "official/bin/pulumi"
    assert dict(engine.sources)["CLI"] == f"official v{VERSION}, downloaded"
    assert dict(engine.sources)["language host"] == "official, of the CLI"
    assert [engine.sources[name].split()[0] for name in ("aws", "tls")] == ["official"] * 2
    assert asked == ["cli", "aws", "tls"]
    (link,) = (online / "lab/engine/plugins").glob("resource-aws-*/pulumi-resource-aws")
    assert link.read_text() == "official"


def test_a_download_that_does_not_work_is_to_be_removed(online, parts):
    parts(there=True)
    cli(online / "official/bin", "exit 1")
    remedy = f"version 3: remove {online / 'official'}, and it is downloaded again"
    with pytest.raises(EngineError, match=f"{re.escape(remedy)}$"):
        providing.provide(online / "lab", print)


def test_what_is_installed_wins_without_an_attempt(online, parts, monkeypatch):
    asked = parts(there=True)
    cli(online / "bin", "echo v3.300.0")
    for name in ("aws", "tls"):
        program = online / "bin" / f"pulumi-resource-{name}"
        program.write_text("installed")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{online / 'bin'}:/usr/bin:/bin")
    engine = providing.provide(online / "lab", print)
    assert engine.sources["CLI"] == "official v3.300.0, on PATH"
    assert asked == []


def test_a_lab_keeps_the_stand_ins_that_it_began_with(online, parts):
    assert parts(there=False) == []
    began = providing.provide(online / "lab", print)
    assert began.pulumi == online / "built/pulumi"
    assert [began.sources[name].split(",")[0] for name in ("aws", "tls")] == ["stand-in"] * 2
    asked = parts(there=True)
    assert providing.provide(online / "lab", print).sources == began.sources
    assert asked == []
    assert providing.provide(online / "another", print).sources != began.sources
