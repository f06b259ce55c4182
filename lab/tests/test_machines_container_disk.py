"""What a machine that runs containers has of this computer: its disk, its control groups, limits."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.machines import cgroups, container_disk, host_limits, requirements
from lab.machines.volume_files import devices
from lab.proofs.polling import until


@pytest.mark.daemons
def test_a_disk_is_made_once_and_goes(tmp_path):
    if reason := requirements.problem():
        pytest.skip(reason)
    try:
        places = container_disk.mounted(tmp_path)
        assert set(places) == set(container_disk.PLACES)
        (places["/var/lib/kubelet"] / "kept").write_text("x")
        assert container_disk.mounted(tmp_path) == places
        # What a kubelet sees of its size is the disk's own.
        size = os.statvfs(places["/var/lib/containerd"])
        assert 0.9 < size.f_blocks * size.f_frsize / container_disk.SIZE <= 1
        used = subprocess.run(
            ["du", "--block-size=1M", str(tmp_path / "containers.img")],
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(used.stdout.split()[0]) < 300
        # As a machine that boots, for a moment.
        copy = subprocess.Popen(["unshare", "--mount", "sleep", "1"])
        until("it has a copy", lambda: Path(f"/proc/{copy.pid}/comm").read_text() == "sleep\n")
        container_disk.unmount(tmp_path)
        assert devices(tmp_path) == []
        assert copy.wait() == 0
        assert not places["/var/lib/kubelet"].exists()
        assert (container_disk.mounted(tmp_path)["/var/lib/kubelet"] / "kept").exists()
    finally:
        container_disk.unmount(tmp_path)
    container_disk.unmount(tmp_path)
    assert container_disk.exists(tmp_path)
    assert not container_disk.exists(tmp_path / "other")


@pytest.mark.parametrize(("before", "within"), [(128, 8192), (8192, 8192), (65536, 65536)])
def test_a_limit_is_raised_and_put_back(tmp_path, before, within):
    limit, kept = tmp_path / "limit", tmp_path / "state" / "kept"
    limit.write_text(f"{before}\n")
    host_limits.raise_limits(kept, limit)
    assert int(limit.read_text()) == within
    # A daemon that is started again still knows the first value.
    host_limits.raise_limits(kept, limit)
    host_limits.put_back(kept, limit)
    assert int(limit.read_text()) == before
    host_limits.put_back(kept, limit)
    assert int(limit.read_text()) == before


def test_what_somebody_else_set_stays(tmp_path):
    limit, kept = tmp_path / "limit", tmp_path / "kept"
    limit.write_text("128\n")
    host_limits.raise_limits(kept, limit)
    limit.write_text("512\n")
    host_limits.put_back(kept, limit)
    assert int(limit.read_text()) == 512


def test_a_group_hands_its_controllers_down(tmp_path):
    group = tmp_path / "group"
    group.mkdir()
    (tmp_path / "cgroup.controllers").write_text("cpu io memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("")
    cgroups.hand_down(tmp_path)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +io +memory +pids"
    # Version 1 has no such files.
    cgroups.hand_down(group)
    assert list(group.iterdir()) == []
