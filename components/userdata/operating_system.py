"""Operating system of every node: kernel settings, clock, journal, users."""

from components.userdata.cloud_config import File
from components.userdata.systemd import UNIT_DIRECTORY
from node.contract import AUTHORIZED_KEYS

_SYSCTL = """\
# Half a machine is worse than none: one that hangs holds its locks and connections. Panic on a
# fault in the kernel, and start again after 10 s.
-kernel.panic_on_oops = 1
-kernel.panic = 10
# Keys are in the daemons' memory: no debugger, no kernel log and no kernel pointer but for root.
-kernel.yama.ptrace_scope = 2
-kernel.dmesg_restrict = 1
-kernel.kptr_restrict = 2
# A peer that vanished without a word: give up on unacknowledged data after about 100 s, not the
# default quarter of an hour.
-net.ipv4.tcp_retries2 = 8
# Probe idle connections before a network load balancer forgets them (350 s).
-net.ipv4.tcp_keepalive_time = 60
-net.ipv4.tcp_keepalive_intvl = 10
-net.ipv4.tcp_keepalive_probes = 6
# When one API server goes, all its clients come to the others together.
-net.core.somaxconn = 8192
-net.ipv4.tcp_max_syn_backlog = 8192
"""

_CHRONY = """\
# Amazon Time Sync: on the link, needs no route. Leases tolerate clocks that differ, not clocks
# that run at different speeds.
server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4
"""

_JOURNALD = """\
[Journal]
# Survive a reboot, and never fill the disk that daemons need.
Storage=persistent
SystemMaxUse=1G
SystemKeepFree=1G
MaxRetentionSec=1month
ForwardToSyslog=no
"""

_SSHD = f"""\
# Operators' keys, kept by the node agent as the stack has them, alongside those of the image. For
# the image's own user, whatever its name; root stays out, and daemons have no shell.
Match User !root,*
  AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2 {AUTHORIZED_KEYS}
"""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_UPGRADES = """\
[Timer]
# Debian's image upgrades itself on all machines in one hour: one node of a tier a day instead, so
# that a broken package is seen before it is everywhere.
OnCalendar=
OnCalendar={weekday} 06:00
"""

_POOL_UPGRADES = """\
[Timer]
# Debian's image upgrades itself on all machines in one hour. The machines of a pool have no
# numbers: each takes an hour of the week of its own, by its machine id.
OnCalendar=
OnCalendar=Mon 06:00
RandomizedDelaySec=6d
FixedRandomDelay=yes
"""

APPLY: tuple[tuple[str, ...], ...] = (
    ("systemd-sysusers",),
    ("systemctl", "restart", "systemd-sysctl.service", "systemd-journald.service"),
    # An image without chrony gets it later, and then it starts with this configuration.
    ("systemctl", "try-restart", "chrony.service"),
    # An image need not have a server for SSH.
    ("systemctl", "try-reload-or-restart", "ssh.service"),
    ("systemctl", "daemon-reload"),
)
"""Commands of the first boot; a later boot reads the same files by itself."""


def host_files(node: str, user: str, description: str) -> tuple[File, ...]:
    """The files of a node by name, such as etcd-0, with the system user of its daemons."""
    weekday = _WEEKDAYS[int(node.rpartition("-")[2]) % len(_WEEKDAYS)]
    return (
        *_every_host(_UPGRADES.format(weekday=weekday)),
        File("/etc/sysusers.d/ha-kubernetes.conf", f'u {user} - "{description}"\n'),
    )


def pool_host_files() -> tuple[File, ...]:
    """The files of every machine of a pool, whose daemons are root."""
    return _every_host(_POOL_UPGRADES)


def _every_host(upgrades: str) -> tuple[File, ...]:
    return (
        File("/etc/sysctl.d/90-ha-kubernetes.conf", _SYSCTL),
        File("/etc/chrony/sources.d/amazon-time-sync.sources", _CHRONY),
        File("/etc/systemd/journald.conf.d/ha-kubernetes.conf", _JOURNALD),
        File("/etc/ssh/sshd_config.d/60-ha-kubernetes.conf", _SSHD),
        File(f"{UNIT_DIRECTORY}/apt-daily-upgrade.timer.d/ha-kubernetes.conf", upgrades),
    )
