"""The data volume: formatted when it is blank, and never otherwise. On files, by real tools."""

import subprocess

import pytest

from node.errors import NodeError
from node.etcd import disk
from node.settings import EtcdSettings
from tests.node.doubles import FakeMachine

VOLUME = EtcdSettings("10.0.224.4", "vol-0abc", "test-bucket")
DEVICE = "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc"
SIZE = 32 << 20


@pytest.fixture
def device(root):
    path = root / DEVICE
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(SIZE)
    (root / "etc").mkdir(exist_ok=True)
    return path


@pytest.fixture
def machine():
    return FakeMachine()


def kind(device):
    command = ["blkid", "-p", "-o", "value", "-s", "TYPE", device]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def test_a_blank_volume_gets_a_file_system_and_is_mounted(root, device, machine, users):
    assert disk.prepare(VOLUME, machine) == [
        "created a file system on vol-0abc",
        "mounted vol-0abc",
    ]
    assert kind(device) == "ext4"
    assert machine.calls == ["mount etcd"]
    assert (root / "etc/fstab").read_text() == (
        f"/{DEVICE} /var/lib/etcd ext4 noatime,nofail,x-systemd.device-timeout=60s 0 0\n"
    )
    data = root / "var/lib/etcd/data"
    assert data.stat().st_mode & 0o777 == 0o700
    assert users == [("data", "etcd")]


def test_a_volume_with_data_is_mounted_as_it_is(root, device, machine):
    (root / "member").mkdir()
    (root / "member/wal").write_text("acknowledged writes")
    subprocess.run(["mkfs.ext4", "-q", "-d", root / "member", device], check=True)
    before = device.read_bytes()
    assert disk.prepare(VOLUME, machine) == ["mounted vol-0abc"]
    assert device.read_bytes() == before


def _xfs(head):
    head[:4] = b"XFSB"
    head[4:8] = (4096).to_bytes(4, "big")  # block size
    head[8:16] = (SIZE // 4096).to_bytes(8, "big")  # blocks
    head[80:84] = (1).to_bytes(4, "big")  # blocks per real-time extent
    head[84:88] = (SIZE // 4096).to_bytes(4, "big")  # blocks per allocation group
    head[88:92] = (1).to_bytes(4, "big")  # allocation groups
    head[96:100] = (855).to_bytes(4, "big")  # log blocks
    head[102:104] = (512).to_bytes(2, "big")  # sector size
    head[104:106] = (512).to_bytes(2, "big")  # inode size
    head[120:125] = bytes([12, 9, 9, 3, 13])  # their logarithms
    head[127] = 25


def _partitions(head):
    head[446:462] = bytes([0, 0, 2, 0, 0x83, 0, 2, 0, 0, 8, 0, 0, 0, 64, 0, 0])
    head[510:512] = b"\x55\xaa"


def _garbage(head):
    head[2000:2009] = b"who knows"


@pytest.mark.parametrize(
    ("scribble", "what"),
    [(_xfs, "holds xfs"), (_partitions, "holds partitions"), (_garbage, "holds unknown data")],
)
def test_anything_else_is_left_alone(device, machine, scribble, what):
    head = bytearray(4096)
    scribble(head)
    with device.open("r+b") as file:
        file.write(head)
    before = device.read_bytes()
    with pytest.raises(NodeError, match=what):
        disk.prepare(VOLUME, machine)
    assert device.read_bytes() == before
    assert machine.calls == []


@pytest.mark.parametrize("status", [1, 4, 8])
def test_a_doubtful_answer_is_not_a_blank_volume(device, machine, monkeypatch, tmp_path, status):
    tool = tmp_path / "blkid"
    tool.write_text(f"#!/bin/sh\necho ambivalent result >&2\nexit {status}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(NodeError, match="ambivalent result"):
        disk.prepare(VOLUME, machine)
    assert kind(device) == ""
    assert not any(device.read_bytes())


def test_an_unreadable_device_is_not_a_blank_volume(device, machine):
    device.unlink()
    device.mkdir()
    with pytest.raises(OSError, match="directory"):
        disk.prepare(VOLUME, machine)


def test_a_volume_that_never_comes_is_named(root, machine, monkeypatch):
    monkeypatch.setattr(disk, "ATTACH_SECONDS", 0)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with pytest.raises(NodeError, match="vol-0abc is not attached: run pulumi up"):
        disk.prepare(VOLUME, machine)
    assert not (root / "etc/fstab").exists()


def test_a_volume_that_comes_later_is_waited_for(root, machine, monkeypatch):
    path = root / DEVICE
    path.parent.mkdir(parents=True)

    def attach(_seconds):
        with path.open("wb") as file:
            file.truncate(SIZE)

    monkeypatch.setattr("time.sleep", attach)
    assert "mounted vol-0abc" in disk.prepare(VOLUME, machine)


def test_a_mounted_volume_is_not_looked_at(root, machine):
    mount = root / "var/lib/etcd"
    mount.mkdir(parents=True)
    machine.mounts.add(mount)
    assert disk.prepare(VOLUME, machine) == []
    assert machine.calls == []


def test_other_lines_of_fstab_stay_and_an_old_one_goes(root, device, machine):
    fstab = root / "etc/fstab"
    fstab.write_text("# mine\nUUID=1 / ext4 defaults 0 1\n/dev/old /var/lib/etcd ext4 x 0 0\n")
    disk.prepare(VOLUME, machine)
    lines = fstab.read_text().splitlines()
    assert lines[:2] == ["# mine", "UUID=1 / ext4 defaults 0 1"]
    assert len(lines) == 3
    assert lines[2].startswith(f"/{DEVICE} /var/lib/etcd ext4 ")


@pytest.mark.parametrize("stop", ["run", "_add_to_fstab", "mount", "own"])
def test_stopped_anywhere_it_ends_the_same(root, device, machine, monkeypatch, stop):
    class Killed(BaseException):
        pass

    def killed_after(function):
        def call(*arguments, **options):
            function(*arguments, **options)
            raise Killed

        return call

    owner = {"run": disk, "_add_to_fstab": disk, "mount": machine, "own": disk.files}[stop]
    with monkeypatch.context() as patch:
        patch.setattr(owner, stop, killed_after(getattr(owner, stop)))
        with pytest.raises(Killed):
            disk.prepare(VOLUME, machine)
    disk.prepare(VOLUME, machine)
    assert kind(device) == "ext4"
    assert machine.calls == ["mount etcd"]
    assert (root / "etc/fstab").read_text().count("/var/lib/etcd") == 1
    assert (root / "var/lib/etcd/data").stat().st_mode & 0o777 == 0o700


def test_the_extent_of_a_file_system_is_that_of_its_device(root, device, machine):
    """Not what statvfs says, which is a few percent less."""
    disk.prepare(VOLUME, machine)
    assert disk.extent(device) == SIZE


@pytest.mark.parametrize("features", ["^64bit", "64bit"])
def test_the_extent_is_read_whichever_way_it_was_made(device, features):
    command = ["mkfs.ext4", "-q", "-b", "1024", "-O", features, device, "20000"]
    subprocess.run(command, check=True)
    assert disk.extent(device) == 20000 * 1024


def test_a_volume_that_grew_is_grown_once(root, device, machine):
    machine.device_bytes = SIZE
    assert disk.grow(VOLUME, machine) == [], "not before it is prepared"
    disk.prepare(VOLUME, machine)
    assert disk.grow(VOLUME, machine) == []
    machine.device_bytes = 2 * SIZE
    assert disk.grow(VOLUME, machine) == ["grew the file system of vol-0abc from 0.03 to 0.06 GiB"]
    assert disk.grow(VOLUME, machine) == []
    assert machine.calls == ["mount etcd", f"grow etcd to {2 * SIZE}"]


def test_a_volume_that_is_too_small_is_named_and_left_alone(root, device, machine):
    disk.prepare(VOLUME, machine)
    machine.device_bytes = SIZE - 512
    (said,) = disk.grow(VOLUME, machine)
    assert said == "vol-0abc is smaller than its file system: is it the right volume?"
    assert machine.calls == ["mount etcd"]


def test_one_that_cannot_be_grown_stops_nothing_and_is_tried_again(
    root, device, machine, monkeypatch
):
    disk.prepare(VOLUME, machine)
    machine.device_bytes = 2 * SIZE

    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(machine, "grow", refused)
        (said,) = disk.grow(VOLUME, machine)
    assert said.startswith("could not grow the file system of vol-0abc: [Errno 1]")
    assert disk.grow(VOLUME, machine)[0].startswith("grew ")


def test_a_disk_that_is_not_mounted_is_not_grown(root, device, machine):
    disk.prepare(VOLUME, machine)
    machine.mounts.clear()
    machine.device_bytes = 2 * SIZE
    assert disk.grow(VOLUME, machine) == []


@pytest.mark.parametrize(
    ("size", "quota", "fits"), [(7.8, 4, True), (7.1, 4, False), (20, 8, True), (3.9, 8, False)]
)
def test_a_quota_is_held_against_the_real_file_system(size, quota, fits):
    """Of twice the quota, as settings have it, a tenth may be the file system's own."""
    space = disk.Space(int(size * disk.GIB), disk.GIB)
    problem = space.problem(quota * disk.GIB)
    assert (problem is None) == fits
    if problem:
        assert problem.startswith(f"the file system has {size:.1f} GiB, and with a quota of")
        assert "raise etcd.dataVolume.sizeGib" in problem
    assert space.problem(None) is None, "an etcd that does not say"


def test_what_a_disk_needs_counts_the_database_as_large_as_its_quota():
    gib = disk.GIB
    assert disk.Space(20 * gib, 18 * gib).needed(database=gib, quota=4 * gib) == 25
    # The file system did not grow with its volume.
    assert disk.Space(8 * gib, 7 * gib).needed(database=gib, quota=8 * gib) == 100


def test_the_root_disk_is_not_taken_for_the_data_disk(root):
    (root / "var/lib/etcd").mkdir(parents=True)
    assert disk.space() is None
