"""Sandboxing and restarting of the units, shared by all."""

from components.userdata.systemd import Setting

FOREVER: dict[str, Setting] = {"StartLimitIntervalSec": 0}
"""For [Unit]: no limit on restarts. Nobody watches the machine, and what a daemon waits for, a
quorum or a network, may come back after hours."""

NO_MOUNT_NAMESPACE: dict[str, Setting] = {
    "NoNewPrivileges": True,
    "LockPersonality": True,
    # AF_NETLINK: Go and glibc list the machine's addresses with it.
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces": True,
    "RestrictRealtime": True,
    "RestrictSUIDSGID": True,
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
}
"""What holds for every unit, those included that mount file systems or install packages."""

FILE_SYSTEM: dict[str, Setting] = {
    "ProtectSystem": "strict",
    "ProtectHome": True,
    "PrivateTmp": True,
    "PrivateDevices": True,
    "ProtectClock": True,
    "ProtectControlGroups": True,
    "ProtectHostname": True,
    "ProtectKernelLogs": True,
    "ProtectKernelModules": True,
    "ProtectKernelTunables": True,
}
"""The file system read-only but for what a unit names, and the kernel's own files too."""

DAEMON: dict[str, Setting] = {
    **NO_MOUNT_NAMESPACE,
    **FILE_SYSTEM,
    "ProtectProc": "invisible",
    "CapabilityBoundingSet": "",
    "MemoryDenyWriteExecute": True,
    "RemoveIPC": True,
    "SystemCallFilter": ["@system-service", "~@privileged"],
    "UMask": "0077",
    # A core dump would hold private keys.
    "LimitCORE": 0,
}
"""A daemon of its own user: no capability, no privileged system call, no path to write to."""
