"""Certificates and keys: the complete old set or the complete new one."""

import re
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest

from node import credentials
from node.errors import NodeError
from node.settings import FILES
from tests.node.certificates import Authority, api_files, etcd_files

ADDRESS = "10.0.224.4"


def on_disk(settings):
    return {path.name: path.read_text() for path in settings.pki.iterdir()}


@pytest.fixture
def first(authority):
    return etcd_files(authority, "etcd-0", ADDRESS)


@pytest.fixture
def second(authority):
    return etcd_files(authority, "etcd-0", ADDRESS)


@pytest.mark.parametrize("tier", ["etcd", "api"])
def test_a_set_is_written_for_its_daemon_only(node, authority, users, tier):
    settings = node(f"{tier}-0")
    files = {
        "etcd": lambda: etcd_files(authority, "etcd-0", ADDRESS),
        "api": lambda: api_files(authority),
    }[tier]()
    assert set(files) == set(FILES[tier])
    assert credentials.replace(settings, files) == list(FILES[tier])
    assert on_disk(settings) == files
    owner = {"etcd": "etcd", "api": "kubernetes"}[tier]
    assert {user for _name, user in users} == {owner}
    for path in settings.pki.iterdir():
        secret = path.suffix in {".key", ".yaml"}
        assert path.stat().st_mode & 0o777 == (0o600 if secret else 0o644), path.name


def test_what_is_unchanged_is_not_touched(node, first, second):
    settings = node()
    credentials.replace(settings, first)
    before = {path.name: path.stat().st_ino for path in settings.pki.iterdir()}
    changed = {**first, "peer.crt": second["peer.crt"], "peer.key": second["peer.key"]}
    assert credentials.replace(settings, changed) == ["peer.crt", "peer.key"]
    after = {path.name: path.stat().st_ino for path in settings.pki.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"peer.crt", "peer.key"}
    assert credentials.replace(settings, changed) == []


@pytest.mark.parametrize("name", FILES["etcd"])
@pytest.mark.parametrize("damage", ["absent", "empty", "garbage", "of another"])
def test_a_set_that_is_not_whole_leaves_the_old_one(node, first, second, name, damage):
    settings = node()
    credentials.replace(settings, first)
    wrong = dict(second)
    if damage == "absent":
        del wrong[name]
    else:
        another = Authority("another").leaf("etcd-0", ADDRESS)
        wrong[name] = {
            "empty": "",
            "garbage": "-----BEGIN GARBAGE-----\n",
            "of another": another.key if name.endswith(".key") else another.certificate,
        }[damage]
    if (name, damage) == ("ca.crt", "of another"):
        return  # the standard library cannot tell whether a leaf is of an authority
    certificate = str(Path(name).with_suffix(".crt"))
    named = name if damage in {"absent", "empty"} else certificate
    with pytest.raises(NodeError, match=re.escape(named)) as error:
        credentials.replace(settings, wrong)
    assert "PRIVATE" not in str(error.value)
    assert on_disk(settings) == first


def test_a_file_that_rotted_on_disk_is_replaced(node, first):
    settings = node()
    credentials.replace(settings, first)
    (settings.pki / "peer.key").write_bytes(b"\xff\xfe rotten")
    assert credentials.problems(settings, settings.pki) == ["peer.crt is damaged or not of its key"]
    assert credentials.replace(settings, first) == ["peer.key"]
    assert on_disk(settings) == first


@pytest.mark.parametrize(
    "stop", list(product(["rename", "replace", "unlink", "rmdir", "chmod"], [1, 2, 3, 5, 7]))
)
def test_stopped_anywhere_a_whole_set_is_there_after_finishing(
    node, first, second, monkeypatch, stop
):
    class Killed(BaseException):
        pass

    settings = node()
    credentials.replace(settings, first)
    operation, count = stop
    real, left = getattr(Path, operation), [count]

    def killed(self, *arguments, **options):
        result = real(self, *arguments, **options)
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Path, operation, killed)
        with suppress(Killed):
            credentials.replace(settings, second)
    credentials.finish(settings)
    assert credentials.problems(settings, settings.pki) == []
    found = {name: (settings.pki / name).read_text() for name in FILES["etcd"]}
    assert found in (first, second)
    credentials.replace(settings, second)
    assert on_disk(settings) == second
