"""Machine of one instance: a root over the image, a systemd-nspawn, its console."""

import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.machines import cgroups, container_disk
from lab.machines.account import Instance
from lab.machines.host_programs import run, start_detached
from lab.machines.lab_names import Names
from lab.machines.layout import Layout
from lab.machines.network import namespaces
from lab.machines.network.dnsmasq import host_name
from lab.machines.volume_files import device_name, device_number
from lab.processes import ProcessIdentity

REBOOTED = 133
"""Exit code of a systemd-nspawn with --keep-unit whose machine asked for a reboot."""

POWER_OFF = signal.SIGRTMIN + 4
REBOOT = signal.SIGRTMIN + 5
"""What systemd takes as an order to power off, or to reboot (systemd(1), "Signals")."""

PROPAGATE = Path("/run/systemd/nspawn/propagate")
LOCKS = Path("/run/systemd/nspawn/locks")
"""Where systemd-nspawn keeps a directory and a lock per running machine; it takes neither away
where the host runs no systemd."""

# A kernel that lives on would close the connections of what was killed, and refuse new ones: an
# instance without power says nothing, and the VPC does not either. Its address is still found.
_POWER = "table inet no-power\ndelete table inet no-power\n"
_NO_POWER = f"""{_POWER}
table inet no-power {{
  chain input {{ type filter hook input priority raw; policy drop; }}
  chain output {{ type filter hook output priority raw; policy drop; }}
}}
"""

_CAPABILITIES = ("CAP_NET_ADMIN", "CAP_NET_RAW")
"""Not given with a namespace that was there before; without them systemd-networkd fails."""


@dataclass(frozen=True)
class _ForContainers:
    """What a machine that runs containers has besides."""

    # kubelet reads the kernel's log, of processes that were killed for their memory.
    capabilities: tuple[str, ...] = (*_CAPABILITIES, "CAP_SYSLOG")
    # runc gives each container a session keyring, which nspawn forbids else.
    options: tuple[str, ...] = ("--system-call-filter=@keyring",)
    # kube-proxy sets how connections are tracked, in this network namespace alone.
    environment: tuple[str, ...] = ("SYSTEMD_NSPAWN_API_VFS_WRITABLE=network",)


_FOR_CONTAINERS = _ForContainers()

# The code goes to a file, since the daemon that started the machine may be gone by then.
_WRAPPER = """\
code=$1; shift
while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift
"$@"
echo $? >"$code.new"; mv "$code.new" "$code"
"""


@dataclass(frozen=True)
class Machine:
    """The machine of one instance, whatever state it is in. What runs a program of the host raises
    LabError."""

    instance: str
    layout: Layout
    names: Names

    @property
    def directory(self) -> Path:
        """Where it is kept."""
        return self.layout.machine(self.instance)

    @property
    def root(self) -> Path:
        """Its root file system, while it is mounted."""
        return self.directory / "root"

    @property
    def image(self) -> Path | None:
        """The image that it was booted from."""
        link = self.directory / "image"
        return link.resolve() if link.is_symlink() else None

    @property
    def identity(self) -> Path:
        """Which process runs it."""
        return self.directory / "machine.json"

    @property
    def exit_code(self) -> Path:
        """How its last run ended."""
        return self.directory / "exit"

    @property
    def power_cut(self) -> Path:
        """There while somebody wants it without power."""
        return self.directory / "power-cut"

    def exists(self) -> bool:
        """Whether it was ever booted, and not removed since."""
        return self.directory.exists()

    def running(self) -> ProcessIdentity | None:
        """The process that runs it, if one does."""
        return ProcessIdentity.load(self.identity)

    def ended(self) -> int | None:
        """How its last run ended; None when it runs, never ran, or was killed."""
        try:
            return int(self.exit_code.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def boot(
        self, image: Path, instance: Instance, disks: Mapping[str, Path], processor: int
    ) -> None:
        """Start it on its network and on a processor, with its disks by volume id."""
        for name in ("upper", "work", "root"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        self._mount(image)
        link = self.directory / "image"
        link.unlink(missing_ok=True)
        link.symlink_to(image)
        namespaces.load_rules(self.names.machine(self.instance), _POWER, image)
        self.exit_code.unlink(missing_ok=True)
        groups = map(str, cgroups.create(self.names, self.instance))
        command = ["sh", "-c", _WRAPPER, "machine", str(self.exit_code), *groups, "--"]
        if instance.pool is None:
            nspawn = self._command(instance, disks, processor, _CAPABILITIES)
        else:
            places = container_disk.mounted(self.directory)
            nspawn = ["env", *_FOR_CONTAINERS.environment]
            nspawn += self._command(instance, disks, processor, _FOR_CONTAINERS.capabilities)
            nspawn += _FOR_CONTAINERS.options
            nspawn += [f"--bind={path}:{place}" for place, path in sorted(places.items())]
        start_detached(
            [*command, *nspawn],
            state=self.layout.state,
            log=self.layout.console(self.instance),
        ).save(self.identity)

    def _command(
        self,
        instance: Instance,
        disks: Mapping[str, Path],
        processor: int,
        capabilities: tuple[str, ...],
    ) -> list[str]:
        return [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            f"--directory={self.root}",
            f"--machine={self.instance}",
            f"--hostname={host_name(instance.address)}",
            # There may be no systemd on the host to register with.
            "--register=no",
            "--keep-unit",
            f"--network-namespace-path={namespaces.DIRECTORY / self.names.machine(self.instance)}",
            f"--capability={','.join(capabilities)}",
            f"--cpu-affinity={processor}",
            "--console=read-only",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            f"--kill-signal={int(POWER_OFF)}",
            *(f"--bind={disk}:{device_name(volume)}" for volume, disk in sorted(disks.items())),
        ]

    def _mount(self, image: Path) -> None:
        if self.root.is_mount():
            return
        options = f"lowerdir={image},upperdir={self.directory / 'upper'}"
        options += f",workdir={self.directory / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))

    def init(self) -> int | None:
        """The process on the host that is the machine's init, if it has one."""
        runner = self.running()
        if runner is None:
            return None
        for nspawn in _children(runner.pid):
            for child in _children(nspawn):
                if _is_init(child):
                    return child
        return None

    def power_off(self) -> None:
        """Press the button: the machine shuts down cleanly, and takes the time that it needs."""
        self._order("poweroff", POWER_OFF)

    def reboot(self) -> None:
        """Ask it to reboot; it ends with REBOOTED and is to be booted again."""
        self._order("reboot", REBOOT)

    def _order(self, verb: str, number: int) -> None:
        init = self.init()
        if init is None:
            return
        if container_disk.exists(self.directory):
            # Through logind, as the button of an instance does it: kubelet asks it for time to stop
            # its pods, of which systemd knows nothing. It fails while the machine is not yet up.
            inside = ("nsenter", f"--target={init}", "--mount", "--uts", "--ipc", "--net", "--pid")
            run(*inside, "--", "systemctl", verb, ok=(0, 1))
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(init, number)

    def kill(self) -> None:
        """Cut the power: it is silent, and every process of it ends at once."""
        init, runner = self.init(), self.running()
        if init:
            namespaces.load_rules(self.names.machine(self.instance), _NO_POWER, self.image)
        victims = namespaces.processes(self.names.machine(self.instance)) if init else []
        for pid in [*([runner.pid, *_children(runner.pid)] if runner else []), *victims]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if runner:
            runner.ended(patience=10)

    def cut_power(self) -> None:
        """Kill it, and keep it dark while the API goes on saying that it runs."""
        self.power_cut.touch()
        self.kill()

    def restore_power(self) -> None:
        """Let it boot again."""
        self.power_cut.unlink(missing_ok=True)

    def show(self, volume: str, device: Path) -> None:
        """Make a volume appear in the running machine."""
        init = self.init()
        if init is None:
            return
        major, minor = device_number(device)
        name = device_name(volume)
        inside = ("nsenter", "--target", str(init), "--mount", "--")
        run(*inside, "mkdir", "-p", str(Path(name).parent))
        script = '[ -b "$1" ] || mknod -m 660 "$1" b "$2" "$3"'
        run(*inside, "sh", "-c", script, "show", name, str(major), str(minor))

    def hide(self, volume: str) -> None:
        """Make a volume disappear from the running machine."""
        init = self.init()
        if init is None:
            return
        script = 'umount "$1" 2>/dev/null; rm -f "$1"'
        inside = ("nsenter", "--target", str(init), "--mount", "--")
        run(*inside, "sh", "-c", script, "hide", device_name(volume))

    def release(self) -> None:
        """Unmount the root of a machine that is down; what is on it stays."""
        if self.root.is_mount():
            where = self.root.stat()
            (LOCKS / f"inode-{where.st_dev}:{where.st_ino}").unlink(missing_ok=True)
            run("umount", str(self.root))
        container_disk.unmount(self.directory)
        self.identity.unlink(missing_ok=True)
        cgroups.remove(self.names, self.instance)
        with contextlib.suppress(OSError):
            (PROPAGATE / self.instance).rmdir()

    def remove(self) -> None:
        """Remove a machine that is down, with everything on its root."""
        self.release()
        shutil.rmtree(self.directory, ignore_errors=True)


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    except OSError:
        return []
    return [int(one) for one in text.split()]


def _is_init(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()
    return len(numbers) > 2 and numbers[-1] == "1"
