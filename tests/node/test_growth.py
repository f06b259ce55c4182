"""A data volume that grows under a running etcd: a real ext4 on a real loop device."""

import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from node.contract import ETCD_DATA, ETCD_MOUNT
from node.etcd import disk
from node.machine import Machine
from tests.node.conftest import document, etcd, put_files
from tests.node.etcd_nodes import etcd_node
from tests.node.issued_certificates import etcd_files

MIB = 1 << 20
BEFORE, AFTER = 256 * MIB, 512 * MIB
CAP_SYS_RESOURCE = 24


def _lacking() -> str | None:
    if os.getuid() != 0:
        return "needs root: it mounts a file system"
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    if not effective >> CAP_SYS_RESOURCE & 1:
        return "needs CAP_SYS_RESOURCE: the kernel grows a mounted file system for nobody else"
    if not Path("/dev/loop-control").exists():
        return "needs loop devices"
    return None


pytestmark = pytest.mark.skipif(_lacking() is not None, reason=str(_lacking()))


def tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "volume.img"
    with path.open("wb") as file:
        file.truncate(BEFORE)
    return path


@pytest.fixture
def device(image):
    name = tool("losetup", "--find", "--show", image)
    yield Path(name)
    tool("losetup", "--detach", name)


@pytest.fixture
def member(aws, etcd_tier, device):
    """A cluster of one whose data is on the device."""
    etcd_tier.found(1)
    listed = etcd_tier.member(0)
    node = etcd_node(
        etcd_tier.directory,
        etcd_tier.binaries,
        document(listed["name"], etcd=etcd(listed["address"])),
    )
    put_files(aws, node.name, etcd_files(etcd_tier.authority, node.name, listed["address"]))
    node.enter()
    link = node.machine.inside(node.settings.etcd.device)
    link.parent.mkdir(parents=True)
    link.symlink_to(device)
    mount = node.machine.inside(ETCD_MOUNT)
    tool("mkfs.ext4", "-q", "-m0", device)
    tool("mount", device, mount)
    node.machine.inside(ETCD_DATA).mkdir()
    # The real machine's part in it.
    for name in ("capacity", "grow"):
        setattr(node.machine, name, getattr(Machine(), name))
    etcd_tier.nodes[0] = node
    from node import prepare

    prepare.run(node.settings, node.machine)
    yield node
    node.machine.power_off()
    with suppress(subprocess.CalledProcessError):
        tool("umount", mount)


def test_the_file_system_grows_under_a_writer(member, etcd_tier, image, device):
    etcd_tier.until(lambda: etcd_tier.voters([0]))
    assert disk.grow(member.settings.etcd, member.machine) == []
    gateway, stop, stalls, written = etcd_tier.gateway(), threading.Event(), [], 0

    def write():
        nonlocal written
        while not stop.is_set():
            began = time.monotonic()
            gateway.put(f"key/{written % 50}", f"{written}" + "x" * 10_000)
            stalls.append((began, time.monotonic() - began))
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(3)
        size = disk.space().size
        with image.open("r+b") as file:
            file.truncate(AFTER)
        tool("losetup", "--set-capacity", device)
        began = time.monotonic()
        (said,) = disk.grow(member.settings.etcd, member.machine)
        took = time.monotonic() - began
        time.sleep(3)
    finally:
        stop.set()
        writer.join()

    assert said == "grew the file system of vol-0abc from 0.25 to 0.50 GiB"
    assert disk.space().size > 1.8 * size
    assert disk.extent(device) == AFTER
    assert disk.grow(member.settings.etcd, member.machine) == []
    usual = sorted(seconds for when, seconds in stalls if when + seconds < began)
    meanwhile = max(s for when, s in stalls if when + s > began and when < began + took + 1)
    print(  # noqa: T201  a figure, shown with pytest -s
        f"grew in {took:.3f} s; {len(stalls)} writes, median {usual[len(usual) // 2]:.4f} s, "
        f"longest before {usual[-1]:.4f} s, longest meanwhile {meanwhile:.4f} s"
    )
    assert meanwhile < 5
    assert (
        etcd_tier.gateway().keys("key/")[f"key/{(written - 1) % 50}"].startswith(str(written - 1))
    )
    # A reboot finds it as large as it is now.
    member.machine.inside("/run/ha-kubernetes/file-system-bytes").unlink()
    disk.prepare(member.settings.etcd, member.machine)
    assert disk.grow(member.settings.etcd, member.machine) == []


def test_it_is_never_shrunk(member, image, device):
    """Nor would the kernel do it."""
    mount = member.machine.inside(ETCD_MOUNT)
    with pytest.raises(OSError, match="Invalid argument"):
        member.machine.grow(mount, BEFORE // 2)
    assert disk.extent(device) == BEFORE
