"""Downloads: equal binaries make equal archives, and the stack's file knows their sums."""

import os
import tarfile

import pytest

from lab.machines.download_store import Store, hosts, pack
from lab.stack import stack_config

CONFIG = "# a comment\nconfig:\n  aws:region: eu-central-1\n  ha-kubernetes:etcd:\n    size: 3\n"


def test_an_archive_depends_on_names_and_contents_alone(tmp_path):
    for directory, time in (("a", 1), ("b", 2_000_000_000)):
        (tmp_path / directory).mkdir()
        file = tmp_path / directory / "etcd"
        file.write_bytes(b"binary")
        file.chmod(0o700 if directory == "a" else 0o644)
        os.utime(file, (time, time))
        pack({"etcd-v1/etcd": file}, tmp_path / f"{directory}.tar.gz")
    one, other = (tmp_path / f"{name}.tar.gz" for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as archive:
        member = archive.getmember("etcd-v1/etcd")
        assert (member.mode, member.uid, member.mtime) == (0o755, 0, 0)
        content = archive.extractfile(member)
        assert content is not None
        assert content.read() == b"binary"


def test_another_name_is_another_archive(tmp_path):
    file = tmp_path / "etcd"
    file.write_bytes(b"binary")
    pack({"a/etcd": file}, tmp_path / "a")
    pack({"b/etcd": file}, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_a_store_serves_exact_addresses(tmp_path):
    file = tmp_path / "kube-apiserver"
    file.write_bytes(b"x")
    store = Store({("dl.k8s.io", "/release/a"): file}, {"kube-apiserver": file})
    assert store.find("dl.k8s.io", "/release/a") == file
    assert store.find("github.com", "/release/a") is None
    assert store.find("dl.k8s.io", "/release") is None
    assert store.sha256() == {
        "kube-apiserver": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    }


def test_the_hosts_are_upstreams():
    assert hosts() == {"dl.k8s.io", "github.com", "registry.k8s.io"}


@pytest.fixture
def stack_file(tmp_path):
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(CONFIG)
    file.chmod(0o640)
    return file


def test_sums_come_and_go(stack_file):
    stack_config.put_checksums(stack_file, {"etcd": "aa", "kube-apiserver": "bb"})
    assert stack_file.read_text() == (
        "# a comment\nconfig:\n"
        "  ha-kubernetes:artifacts: # of the lab's own builds; `make down` takes it out\n"
        "    sha256:\n      etcd: aa\n      kube-apiserver: bb\n"
        "  aws:region: eu-central-1\n  ha-kubernetes:etcd:\n    size: 3\n"
    )
    assert stack_file.stat().st_mode & 0o777 == 0o640
    assert stack_config.remove_checksums(stack_file) is True
    assert stack_file.read_text() == CONFIG
    assert stack_config.remove_checksums(stack_file) is False


def test_new_sums_replace_old_ones(stack_file):
    stack_config.put_checksums(stack_file, {"etcd": "aa"})
    stack_config.put_checksums(stack_file, {"etcd": "cc"})
    assert "aa" not in stack_file.read_text()
    assert stack_config.remove_checksums(stack_file) is True
    assert stack_file.read_text() == CONFIG
