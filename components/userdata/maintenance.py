"""Units that maintain etcd's data: snapshots to S3 and defragmentation, by timers."""

from components.userdata.agent_archive import AGENT
from components.userdata.agent_units import node_command
from components.userdata.cloud_config import File
from components.userdata.systemd import Setting, unit
from node.contract import ETCD_UNIT

TIMERS = ("node-snapshot.timer", "node-defrag.timer")

_SNAPSHOT: dict[str, Setting] = {
    # How often is for the agent to look up, so that another interval replaces no machine.
    "ExecStart": f"/usr/bin/python3 {AGENT} snapshot --when-due",
    # etcd's heartbeats come first, and so do its writes where the kernel can tell.
    "Nice": 19,
    "IOSchedulingClass": "idle",
}


def maintenance_units() -> tuple[File, ...]:
    """Services and timers. Every member has them; which one acts is for the agent to find out."""
    return (
        # What it runs and sends has limits of its own, by progress; this one is for a disk that
        # hangs. 8 GiB are through at half a MiB/s.
        node_command("snapshot", "6h", after=ETCD_UNIT, more=_SNAPSHOT),
        unit(
            "node-snapshot.timer",
            {
                "Unit": {"Description": "ha-node snapshot when one is due"},
                "Timer": {
                    # A machine that has just booted: etcd elects first.
                    "OnActiveSec": "2min",
                    "OnUnitInactiveSec": "1min",
                    "AccuracySec": "1s",
                },
                "Install": {"WantedBy": "timers.target"},
            },
        ),
        # It waits three hours for its turn, and then takes an hour at most for each of two steps.
        node_command("defrag", "6h", after=ETCD_UNIT),
        unit(
            "node-defrag.timer",
            {
                "Unit": {"Description": "ha-node defrag once a day"},
                "Timer": {"OnCalendar": "daily", "RandomizedDelaySec": "1h"},
                "Install": {"WantedBy": "timers.target"},
            },
        ),
    )
