"""User data in the eyes of the tools that will read it; each is skipped where it is not installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from node.api.haproxy import render
from node.membership import Member
from tests.golden.nodes import (
    NODES,
    commands,
    tier,
    units,
)

ROOT = Path(__file__).parents[2]
SYSTEMD_UNITS = Path("/usr/lib/systemd/system")


def tool(name):
    path = shutil.which(name)
    return pytest.mark.skipif(path is None, reason=f"{name} is not installed")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(params=NODES)
def config(request):
    return NODES[request.param]


@pytest.fixture
def root(config, tmp_path):
    """A file system as cloud-init and the node agent leave it, with stand-ins for binaries."""
    for file in config.write_files:
        path = tmp_path / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        path.chmod(int(file.permissions, 8))
    for _, line in commands(config):
        path = tmp_path / line.split()[0].lstrip("/")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)
    # systemd's own targets, which the units are ordered against.
    shutil.copytree(SYSTEMD_UNITS, tmp_path / "usr/lib/systemd/system", symlinks=True)
    return tmp_path


def verify(root, config):
    return run(
        "systemd-analyze",
        "verify",
        "--man=no",
        "--recursive-errors=no",
        f"--root={root}",
        *units(config),
    )


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or not SYSTEMD_UNITS.is_dir(),
    reason="systemd-analyze is not installed",
)


@tool("cloud-init")
def test_cloud_init_knows_every_key(config, tmp_path):
    path = tmp_path / "user-data"
    path.write_text(config.render())

    status, said = run("cloud-init", "schema", "--config-file", str(path))

    assert status == 0, said
    assert "deprecated" not in said.lower()


@tool("cloud-init")
def test_cloud_init_would_tell(config, tmp_path):
    path = tmp_path / "user-data"
    path.write_text(config.render().replace("write_files:", "write_files: 1\nother:"))

    status, _ = run("cloud-init", "schema", "--config-file", str(path))

    assert status != 0


@needs_systemd
def test_systemd_knows_every_setting_and_finds_every_program(config, root):
    assert verify(root, config) == (0, "")


@needs_systemd
@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("ProtectSystem=strict", "ProtectSystems=strict", "'ProtectSystems' in section"),
        ("RestartSec=", "RestartSec=apples ", "Failed to parse"),
        ("ExecStart=/usr/local/bin/", "ExecStart=/usr/local/absent/", "is not executable"),
    ],
)
def test_systemd_would_tell(config, root, was, becomes, complaint):
    daemon = {"etcd": "etcd", "api": "kube-apiserver", "worker": "kube-proxy"}[tier(config)]
    unit = root / f"etc/systemd/system/{daemon}.service"
    text = unit.read_text()
    assert was in text
    unit.write_text(text.replace(was, becomes))

    _, said = verify(root, config)

    assert complaint in said


@needs_systemd
def test_daemons_are_hardly_exposed(config, root):
    for name, unit in units(config).items():
        if "User" not in unit:
            continue
        # In tenths; systemd calls 5.0 medium and rates an unconfined service 9.6.
        status, said = run(
            "systemd-analyze", "security", "--offline=yes", "--threshold=25", f"--root={root}", name
        )
        assert status == 0, said.splitlines()[-1]


@tool("shellcheck")
def test_scripts_are_clean():
    files = sorted((ROOT / "components/userdata/files").iterdir())
    # The one in Python is checked as the rest of the code is.
    scripts = [path for path in files if path.is_file() and path.suffix != ".py"]

    assert len(scripts) == 2
    assert run("shellcheck", *map(str, scripts)) == (0, "")


@tool("haproxy")
def test_haproxy_takes_the_configuration_of_its_unit(tmp_path):
    members = [Member(f"etcd-{number}", f"10.0.224.{4 + number}") for number in range(7)]
    path = tmp_path / "etcd-proxy.cfg"
    path.write_text(render(members))

    status, said = run("haproxy", "-c", "-f", str(path))

    assert status == 0, said
    assert "WARNING" not in said


@tool("haproxy")
def test_haproxy_would_tell(tmp_path):
    path = tmp_path / "etcd-proxy.cfg"
    path.write_text(render([]) + "  server nonsense\n")

    status, _ = run("haproxy", "-c", "-f", str(path))

    assert status != 0
