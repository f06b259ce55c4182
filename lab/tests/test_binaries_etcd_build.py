"""etcd as the tests and the lab get it."""

import subprocess

import pytest

from config.versions import ETCD
from lab.binaries import etcd_build
from lab.binaries.etcd_benchmark import ETCD_BENCHMARK
from lab.engine.model import EngineError


def test_they_are_the_version_that_the_program_installs(etcd_binaries):
    for name, arguments in (("etcd", "--version"), ("etcdctl", "version"), ("etcdutl", "version")):
        done = subprocess.run(
            [etcd_binaries / name, arguments], capture_output=True, text=True, check=True
        )
        assert f"ersion: {ETCD.default}\n" in done.stdout


def test_the_benchmark_is_of_the_same_version():
    required = (ETCD_BENCHMARK.module / "go.mod").read_text().splitlines()
    assert f"\tgo.etcd.io/etcd/v3 v{ETCD.default} // indirect" in required


def test_they_are_built_once(etcd_binaries, monkeypatch):
    said = []
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("built again"))
    assert etcd_build.built_etcd(said.append) == etcd_binaries
    assert said == []


def test_a_failed_build_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    go = tmp_path / "go"
    go.write_text(
        '#!/bin/sh\n[ "$1" = env ] && echo go1.99.0 && exit\necho "# package" >&2\necho "no space left" >&2\nexit 1\n'
    )
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(
        EngineError, match=r"^building etcd failed \(no space left\): check .*again; .*etcd.log$"
    ):
        etcd_build.built_etcd(lambda _line: None)
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.name in etcd_build.ETCD.packages]
