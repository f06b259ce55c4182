"""containerd: its unit, its configuration, and what its containers need of the kernel."""

from components.userdata.agent_units import PREPARED
from components.userdata.cloud_config import File
from components.userdata.sandbox import FOREVER
from components.userdata.systemd import unit
from config import ClusterSettings
from node.contract import BINARIES, CNI_BINARIES, CNI_CONFIG, CONTAINERD_UNIT

CONFIG = "/etc/containerd/config.toml"

SOCKET = "/run/containerd/containerd.sock"
"""Where the kubelet reaches it."""

MODULES: tuple[str, ...] = ("nf_conntrack", "overlay")
"""kube-proxy sets the size of the connection table before anything has loaded it; containers' file
systems are overlays."""

_CONFIG = """\
version = 3
# What a machine of its own kind needs goes there, such as the mirror of a registry.
imports = ["/etc/containerd/conf.d/*.toml"]

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"

[plugins."io.containerd.cri.v1.images".pinned_images]
# The image of every pod, which must not be collected.
sandbox = "{pause}"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
# One writer to the cgroups: systemd, as the kubelet has it too.
SystemdCgroup = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{binaries}"]
conf_dir = "{configuration}"
"""

_SYSCTL = """\
# Pods are behind this machine.
-net.ipv4.ip_forward = 1
# Every pod watches files; the defaults are for one user's desktop.
-fs.inotify.max_user_instances = 8192
-fs.inotify.max_user_watches = 524288
"""


def runtime_files(settings: ClusterSettings) -> tuple[File, ...]:
    """containerd.service and its configuration, kernel modules and kernel settings."""
    config = _CONFIG.format(
        pause=settings.artifacts.image("pause"),
        binaries=CNI_BINARIES,
        configuration=CNI_CONFIG.rpartition("/")[0],
    )
    return (
        File(CONFIG, config),
        File("/etc/modules-load.d/ha-kubernetes.conf", "".join(f"{name}\n" for name in MODULES)),
        File("/etc/sysctl.d/91-ha-kubernetes-pods.conf", _SYSCTL),
        _containerd(),
    )


def _containerd() -> File:
    return unit(
        CONTAINERD_UNIT,
        {
            "Unit": {"Description": "Container runtime", **PREPARED, **FOREVER},
            # No sandbox: it mounts file systems and makes namespaces, and what containers may do
            # is for runc to limit.
            "Service": {
                "Type": "notify",
                "ExecStart": f"{BINARIES}/containerd --config={CONFIG}",
                # Containers have cgroups of their own below, and outlive a restart.
                "Delegate": True,
                "KillMode": "process",
                "Restart": "always",
                "RestartSec": "5s",
                "OOMScoreAdjust": -999,
                # As upstream's unit: containers inherit what is not infinite.
                "LimitNPROC": "infinity",
                "LimitNOFILE": 1048576,
                "TasksMax": "infinity",
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )
