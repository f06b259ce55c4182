"""Requirements of the machines on this computer."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from lab.lab_errors import LabError

TOOLS: Mapping[str, str] = {
    "debootstrap": "debootstrap",
    "dnsmasq": "dnsmasq-base",
    "gcc": "gcc",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "losetup": "mount",
    "mkfs.ext4": "e2fsprogs",
    "nft": "nftables",
    "nsenter": "util-linux",
    "pkg-config": "pkg-config",
    "systemd-nspawn": "systemd-container",
}
"""Programs by name, with the Debian package of each."""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""What debootstrap checks Debian's signatures with."""

FILES: Mapping[str, str] = {
    KEYRING: "debian-archive-keyring",
    "/usr/include/seccomp.h": "libseccomp-dev",
    "/usr/include/stdio.h": "libc6-dev",
}
"""Files by path, with the Debian package of each. The last two are for runc, whose build has a part
in C."""


def problem() -> str | None:
    """What keeps the machines from running here, in one sentence; None when nothing does."""
    if sys.platform != "linux":
        return f"The lab's machines need Linux, not {sys.platform}: use `make up` here."
    if os.geteuid() != 0:
        return "The lab's machines need root: run `make lab` as root, or use `make up`."
    missing = {package for tool, package in TOOLS.items() if shutil.which(tool) is None}
    missing |= {package for file, package in FILES.items() if not Path(file).exists()}
    if missing:
        names = " ".join(sorted(missing))
        return f"The lab's machines need programs that are missing: apt-get install {names}"
    return None


def require() -> None:
    """Raise LabError when the machines cannot run here."""
    sentence = problem()
    if sentence:
        raise LabError(sentence)
