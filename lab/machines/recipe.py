"""How the machine image is made: Debian 13 as on the official AMI, for systemd-nspawn.

What differs from AWS lives here and nowhere else: the lab's CA is trusted, cloud-init is
told that it is on EC2, the block devices of /etc/fstab get their mount units from a generator, and
machines of workers get what containers need within systemd-nspawn.
The image is named by the content of this file, so nothing else belongs into it.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab.lab_errors import LabError
from lab.machines.requirements import KEYRING

SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"

BASE = (
    "ca-certificates",
    "curl",
    "dbus",
    "e2fsprogs",
    "iproute2",
    "iputils-ping",
    "nftables",
    "procps",
    "sudo",
    "systemd",
    "systemd-resolved",
    "systemd-sysv",
    "udev",
)
"""Packages that debootstrap installs."""

ADDED = (
    "chrony",
    "cloud-init",
    "haproxy",
    "kmod",
    "openssh-server",
    "openssl",
    "python3-boto3",
)
"""Packages that apt installs afterwards: debootstrap cannot configure cloud-init (measured), and
the node agent must find all that it asks for, since machines reach no mirror."""

FILES: Mapping[str, str] = {
    "fstab-devices": "etc/systemd/system-generators/fstab-devices",
    "ens5.network": "etc/systemd/network/80-ens5.network",
    "lab-worker": "usr/local/sbin/lab-worker",
    "lab-worker.service": "etc/systemd/system/lab-worker.service",
    "cloud-init.cfg": "etc/cloud/cloud.cfg.d/99-lab.cfg",
}
"""Files of this package by name, with their place in the image."""

ENABLED = ("lab-worker.service", "systemd-networkd.service", "systemd-resolved.service")

MASKED = (
    # Machines reach no mirror, and six of them would try.
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    # The node agent runs a proxy of its own; on AWS the package comes after it is masked.
    "haproxy.service",
    # Kernel and clock are the host's.
    "systemd-udevd.service",
    "systemd-timesyncd.service",
)

SOURCE = Path(__file__).with_name("files")
AUTHORITY = "usr/local/share/ca-certificates/ha-kubernetes-lab.crt"
FAST = "force-unsafe-io\n"
"""For dpkg: a build that was cut off is thrown away, so nothing needs to be on the disk early."""

GENTLE = ("nice", "-n", "10")
"""A build must not take the processor from what runs already."""


def build(root: Path, authority: bytes, log: Path) -> None:
    """Make the image's root directory; raises LabError.

    `authority` is the certificate in PEM that machines trust; `log` gets what the tools print.
    """
    include = ",".join(BASE)
    command = ["debootstrap", "--variant=minbase", f"--keyring={KEYRING}", f"--include={include}"]
    _run(log, *command, SUITE, str(root), MIRROR)
    (root / "etc/dpkg/dpkg.cfg.d/lab").write_text(FAST)
    with _answering_resolver(root):
        _run(log, "chroot", str(root), "apt-get", "update", "--quiet")
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *ADDED]
        _run(log, "chroot", str(root), *install)
    _configure(root, authority, log)


@contextmanager
def _answering_resolver(root: Path) -> Iterator[None]:
    """The host's resolver while packages are fetched; afterwards systemd-resolved's."""
    path = root / "etc/resolv.conf"
    path.unlink(missing_ok=True)
    path.write_bytes(Path("/etc/resolv.conf").read_bytes())
    yield
    path.unlink()
    path.symlink_to("../run/systemd/resolve/stub-resolv.conf")


def _configure(root: Path, authority: bytes, log: Path) -> None:
    for name, place in FILES.items():
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((SOURCE / name).read_bytes())
        target.chmod(0o755 if os.access(SOURCE / name, os.X_OK) else 0o644)
    (root / AUTHORITY).write_bytes(authority)
    _run(log, "chroot", str(root), "update-ca-certificates")
    _run(log, "chroot", str(root), "systemctl", "enable", *ENABLED)
    _run(log, "chroot", str(root), "systemctl", "mask", *MASKED)
    # Empty, not absent: every machine gets its own, and none is in its "first boot", which would
    # enable what is disabled here.
    (root / "etc/machine-id").write_text("")
    (root / "etc/hostname").unlink(missing_ok=True)
    # cloud-init makes each machine's own.
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    _run(log, "chroot", str(root), "apt-get", "clean")


def _run(log: Path, *command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with log.open("a") as output:
        done = subprocess.run(
            [*GENTLE, *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise LabError(
            f"The machine image could not be built, {command[0]} failed: check the connection to "
            f"{MIRROR}, then try again; the output is in {log}."
        )
