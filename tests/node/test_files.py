"""Files that are the old or the new ones, never readable by more than they should be."""

import os
from pathlib import Path

import pytest

from node import files
from node.errors import NodeError


@pytest.fixture
def steps(monkeypatch):
    """What happens to the file system, in order."""
    done = []

    def record(owner, name, describe):
        real = getattr(owner, name)

        def call(*arguments, **options):
            result = real(*arguments, **options)
            done.append(describe(*arguments))
            return result

        monkeypatch.setattr(owner, name, call)

    record(os, "fsync", lambda fd: f"sync {Path(f'/proc/self/fd/{fd}').readlink().name}")
    record(Path, "replace", lambda path, target: f"rename {path.name} {Path(target).name}")
    record(Path, "chmod", lambda path, mode: f"mode {path.name} {mode:o}")
    return done


def test_a_file_has_its_mode_and_is_on_the_disk_before_it_has_its_name(tmp_path, steps):
    assert files.write(tmp_path / "sub" / "server.key", "secret", 0o600)
    assert steps == [
        "mode .server.key.new 600",
        "sync .server.key.new",
        "rename .server.key.new server.key",
        "sync sub",
    ]


def test_a_secret_is_never_readable_by_others(tmp_path, monkeypatch):
    seen = []
    real = os.fdopen

    def look(descriptor, *arguments):
        seen.append(os.fstat(descriptor).st_mode & 0o777)
        return real(descriptor, *arguments)

    monkeypatch.setattr(os, "fdopen", look)
    before = os.umask(0)
    try:
        files.write(tmp_path / "server.key", "secret", 0o600)
    finally:
        os.umask(before)
    assert seen == [0o600]


def test_a_file_that_is_as_wanted_is_not_touched(tmp_path, steps):
    path = tmp_path / "node.env"
    path.write_text("same")
    assert files.write(path, "same") is False
    assert steps == []


def test_what_an_earlier_run_left_behind_is_not_trusted(tmp_path):
    leftover = tmp_path / ".server.key.new"
    leftover.write_text("old")
    leftover.chmod(0o666)
    files.write(tmp_path / "server.key", "new", 0o600)
    assert (tmp_path / "server.key").read_text() == "new"
    assert (tmp_path / "server.key").stat().st_mode & 0o777 == 0o600
    assert not leftover.exists()


def test_a_user_that_is_missing_is_named(tmp_path, monkeypatch):
    def missing(*_):
        raise LookupError("no such user: 'etcd'")

    monkeypatch.setattr("shutil.chown", missing)
    with pytest.raises(NodeError, match="no such user: 'etcd': run systemd-sysusers"):
        files.write(tmp_path / "server.key", "secret", 0o600, "etcd")
    assert not (tmp_path / "server.key").exists()
