"""What the agent asks of systemd and of other programs."""

import subprocess
import time
from pathlib import Path

import pytest

from node.errors import NodeError
from node.machine import Machine, run


@pytest.mark.parametrize(
    ("state", "active"),
    [
        ("active", True),
        ("activating", True),
        ("reloading", True),
        ("inactive", False),
        ("failed", False),
        ("deactivating", False),
    ],
)
def test_a_service_that_is_starting_counts_as_running(systemctl, state, active):
    asked = systemctl(f"ActiveState={state}")
    assert Machine().active("etcd.service") == active
    assert asked() == ["show --property=ActiveState --timestamp=unix etcd.service"]


@pytest.mark.parametrize(
    ("state", "code", "status", "ended"),
    [
        ("inactive", 1, 0, True),  # etcd that was removed
        ("failed", 1, 0, True),  # the same, before it was ready: systemd calls it a failure
        ("inactive", 2, 15, False),  # stopped
        ("failed", 1, 1, False),
        ("active", 1, 0, False),  # started again
        ("activating", 1, 0, False),
        ("inactive", 0, 0, False),  # never started
    ],
)
def test_a_service_that_ended_by_itself_is_told_from_one_that_was_stopped(
    systemctl, state, code, status, ended
):
    systemctl(f'"ActiveState={state}\nExecMainCode={code}\nExecMainStatus={status}"')
    assert Machine().ended("etcd.service") == ended


def test_etcd_is_started_without_waiting_for_its_peers(systemctl):
    asked = systemctl("")
    Machine().start("etcd.service")
    assert asked() == ["reset-failed etcd.service", "start --no-block etcd.service"]


def test_a_hostname_lasts(root, hostnames, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "api-0")
    Machine().rename("api-0-10-0-0-17")
    assert (root / "etc/hostname").read_text() == "api-0-10-0-0-17\n"
    assert hostnames == ["api-0-10-0-0-17"]
    monkeypatch.setattr("socket.gethostname", lambda: "api-0-10-0-0-17")
    Machine().rename("api-0-10-0-0-17")
    assert hostnames == ["api-0-10-0-0-17"]


def test_a_mount_point_is_one_only_when_something_is_mounted(tmp_path):
    assert Machine().mounted(Path("/proc"))
    assert not Machine().mounted(tmp_path)
    assert not Machine().mounted(tmp_path / "absent")


def test_a_failure_is_its_last_line(systemctl):
    systemctl("", status=5)
    with pytest.raises(NodeError, match=r"^systemctl failed \(5\): it says why$"):
        Machine().reload("etcd-proxy.service")


def test_a_program_that_is_missing_is_named():
    with pytest.raises(NodeError, match="no-such-program"):
        run("no-such-program")


def test_a_program_that_takes_too_long_is_ended():
    began = time.monotonic()
    with pytest.raises(NodeError, match="sleep had not ended after 1 s"):
        run("sleep", "60", seconds=1)
    assert time.monotonic() - began < 10


def test_a_program_may_take_any_time_while_it_gets_further(tmp_path):
    out = tmp_path / "out"
    script = f"for i in 1 2 3 4 5 6 7 8; do echo x >>{out}; sleep 0.4; done; echo done; exit 3"
    done = run("sh", "-c", script, ok=(3,), seconds=1, progress=lambda: out.stat().st_size)
    assert (done.returncode, done.stdout) == (3, "done\n")


def test_one_that_gets_no_further_is_ended(tmp_path):
    out = tmp_path / "out"
    script = f"echo x >{out}; sleep 60"
    with pytest.raises(NodeError, match="sh got no further for 1 s, at 2 bytes"):
        run("sh", "-c", script, seconds=1, progress=lambda: out.stat().st_size)


def test_the_capacity_of_what_is_mounted_is_that_of_its_device(tmp_path, monkeypatch):
    """As `lsblk` has it; the sandbox of `reconcile` shows no devices."""
    mount = next(
        (
            line.split()
            for line in Path("/proc/mounts").read_text().splitlines()
            if line.startswith("/dev/") and Path(line.split()[1]).is_mount()
        ),
        None,
    )
    if mount is None:
        pytest.skip("nothing is mounted from a device here")
    command = ["lsblk", "-bndo", "SIZE", mount[0]]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("lsblk does not know the device")
    assert Machine().capacity(Path(mount[1])) == int(listed.stdout)
