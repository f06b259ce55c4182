"""Plugins, downloaded by the real CLI from a site on loopback."""

import subprocess

import pytest

from lab.engine import download_sites, fetching
from lab.engine.fetching import fetched_plugin
from lab.tests.download_site import PROGRAM, Site, archive, serving

VERSION = "5.6.2"


@pytest.fixture
def site(monkeypatch, tmp_path):
    monkeypatch.delenv("HA_LAB_OFFLINE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download_sites, "PLUGINS", ())
    with serving(Site(archive("pulumi-resource-tls"))) as site:
        monkeypatch.setenv(download_sites.OVERRIDES, f"^github://api.github.com/pulumi={site.url}")
        yield site


def left(tmp_path):
    return [path.name for path in (tmp_path / "ha-kubernetes/engine").iterdir() if path.is_dir()]


def test_a_plugin_of_a_mirror_is_installed_once(engine, site, tmp_path):
    said = []
    plugin = fetched_plugin(engine.pulumi, "tls", VERSION, said.append)
    assert plugin is not None
    program = plugin / "pulumi-resource-tls"
    assert program.read_bytes() == PROGRAM
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"plugin\n"
    assert said == [f"downloading Pulumi's tls plugin {VERSION}, once, from one of 127.0.0.1"]
    (asked,) = site.asked
    assert f"/plugins/pulumi-resource-tls-v{VERSION}-" in asked
    assert fetched_plugin(engine.pulumi, "tls", VERSION, said.append) == plugin
    assert (len(site.asked), len(said)) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("absent", "404"),
        ("truncated", "failed all 5 attempts"),
        ("damaged", "extracting"),
        ("stalled", "nothing came for"),
    ],
)
def test_a_failed_download_leaves_nothing_and_the_next_one_succeeds(  # noqa: PLR0917
    engine, site, tmp_path, monkeypatch, fault, reason
):
    said = []
    site.fault = fault
    monkeypatch.setattr(fetching, "STALL_SECONDS", 1.0 if fault == "stalled" else 60.0)
    assert fetched_plugin(engine.pulumi, "tls", VERSION, said.append) is None
    assert reason in said[-1]
    assert "\n" not in said[-1]
    assert left(tmp_path) == []
    site.fault = ""
    monkeypatch.setattr(fetching, "STALL_SECONDS", 60.0)
    assert fetched_plugin(engine.pulumi, "tls", VERSION, said.append) is not None
    assert left(tmp_path) == [f"official-tls-{VERSION}"]
