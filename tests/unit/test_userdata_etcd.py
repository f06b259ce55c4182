"""User data of an etcd member: its flags, and when etcd may start, stop and start again."""

import json

import pytest

from components.nodes.operations_parameter import operations_document
from node import operations
from node.etcd import defrag_run, snapshots
from node.rounds import LIMITS
from tests.golden.nodes import api_node, arguments, etcd_node, node_json, settings, units, written


def test_timers_and_quota_come_from_the_settings():
    given = settings(etcd={"heartbeatMs": 50, "electionMs": 750, "quotaGib": 8})

    flags = arguments(etcd_node(given), "etcd.service")

    assert flags["heartbeat-interval"] == "50"
    assert flags["election-timeout"] == "750"
    assert flags["quota-backend-bytes"] == str(8 * 1024**3)


def test_membership_is_nowhere():
    config = etcd_node(settings(), 1)

    assert "10.0.224.21" in config.render()
    for other in ("10.0.224.4", "10.0.224.38", "etcd-0", "etcd-2"):
        assert other not in written(config)["/etc/systemd/system/etcd.service"]
        assert other not in written(config)["/etc/ha-kubernetes/node.json"]
    # Flags would win over the environment, where the first start's membership comes from.
    assert not any(flag.startswith("initial-cluster") for flag in arguments(config, "etcd.service"))


def test_etcd_starts_from_an_initialised_disk_or_on_the_decision_of_reconcile_only():
    etcd = units(etcd_node(settings()))["etcd.service"]

    assert etcd["ConditionPathIsMountPoint"] == ["/var/lib/etcd"]
    # Alternatives ("|"), on top of the mount point.
    assert etcd["ConditionPathExistsGlob"] == ["|/var/lib/etcd/data/member/wal/*.wal"]
    assert etcd["ConditionPathExists"] == ["|/run/ha-kubernetes/cluster.env"]
    assert etcd["EnvironmentFile"] == ["-/run/ha-kubernetes/cluster.env"]
    assert "var-lib-etcd.mount" in etcd["After"][0].split()


def test_etcd_waits_for_a_quorum_for_ever_and_a_removed_member_stays_down():
    etcd = units(etcd_node(settings()))["etcd.service"]

    assert etcd["Type"] == ["notify"]
    assert etcd["TimeoutStartSec"] == ["infinity"]
    # It exits with 0 once it is removed.
    assert etcd["Restart"] == ["on-failure"]
    assert etcd["StartLimitIntervalSec"] == ["0"]
    # Before it is ready as well, when Type=notify makes a failure of it.
    assert etcd["RestartPreventExitStatus"] == ["0"]


def test_etcd_comes_before_everything_else_on_its_machine():
    etcd = units(etcd_node(settings()))["etcd.service"]

    assert etcd["User"] == ["etcd"]
    assert etcd["OOMScoreAdjust"] == ["-900"]
    assert etcd["LimitNOFILE"] == ["65536"]
    assert etcd["Nice"] == ["-10"]
    assert etcd["ReadWritePaths"] == ["/var/lib/etcd"]


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_a_mirror_may_have_sums_of_its_own_and_is_looked_up_by_the_node(architecture):
    own = "ab" * 32
    given = settings(
        architecture=architecture,
        artifacts={"mirror": "https://mirror.example:8443/base", "sha256": {"etcd": own}},
    )

    (artifact,) = node_json(etcd_node(given))["artifacts"]
    told = operations.parse(json.loads(operations_document(given)))

    assert artifact["sha256"] == own
    assert told.source(artifact["url"]) == (
        "https://mirror.example:8443/base/etcd-io/etcd/releases/download/v3.6.14/"
        f"etcd-v3.6.14-linux-{architecture}.tar.gz"
    )


def test_etcd_member_gets_nothing_of_the_api_tier():
    config = etcd_node(settings())

    assert not [path for path in written(config) if "kube-" in path or "/etc/kubernetes" in path]


def test_snapshots_are_asked_for_more_often_than_any_interval_and_hinder_nothing():
    config = units(etcd_node(settings()))
    timer, service = config["node-snapshot.timer"], config["node-snapshot.service"]

    assert timer["OnUnitInactiveSec"] == ["1min"]
    assert timer["OnActiveSec"] == ["2min"]
    assert service["ExecStart"] == [
        "/usr/bin/python3 /usr/local/lib/ha-kubernetes/node snapshot --when-due"
    ]
    assert "etcd.service" in service["After"][0].split()
    assert service["Nice"] == ["19"]
    assert service["IOSchedulingClass"] == ["idle"]


def test_defragmentation_runs_once_a_day_and_not_everywhere_at_once():
    config = units(etcd_node(settings()))
    timer, service = config["node-defrag.timer"], config["node-defrag.service"]

    assert timer["OnCalendar"] == ["daily"]
    assert timer["RandomizedDelaySec"] == ["1h"]
    assert "etcd.service" in service["After"][0].split()
    # Longer than it waits for its turn, and then takes.
    assert service["TimeoutStartSec"] == ["6h"]
    assert defrag_run.PATIENCE + 2 * defrag_run.LONGEST < 6 * 3600


@pytest.mark.parametrize("command", ["snapshot", "defrag"])
def test_maintenance_is_confined_and_may_not_touch_the_data(command):
    service = units(etcd_node(settings()))[f"node-{command}.service"]

    assert service["ProtectSystem"] == ["strict"]
    assert "ReadWritePaths" not in service
    assert service["CacheDirectory"] == ["ha-kubernetes"]
    assert service["CacheDirectoryMode"] == ["0700"]
    assert service["CapabilityBoundingSet"] == ["CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER"]
    assert service["NoNewPrivileges"] == ["yes"]


def test_reconcile_may_grow_a_file_system_where_there_is_one_to_grow():
    given = settings()
    capabilities = {
        tier: units(node)["ha-node.service"]["CapabilityBoundingSet"][0].split()
        for tier, node in (("etcd", etcd_node(given)), ("api", api_node(given)))
    }
    # Without it the kernel answers EPERM (fs/ext4/resize.c, ext4_resize_begin).
    assert set(capabilities["etcd"]) - set(capabilities["api"]) == {"CAP_SYS_RESOURCE"}


def test_api_servers_have_nothing_to_maintain():
    assert not [
        name for name in units(api_node(settings())) if "snapshot" in name or "defrag" in name
    ]


def test_a_snapshot_may_wait_longer_than_its_programs_take():
    config = units(etcd_node(settings()))

    assert config["node-snapshot.service"]["TimeoutStartSec"] == ["6h"]
    assert LIMITS["reconcile"] == 6 * 3600
    largest = settings(etcd={"quotaGib": 8}).etcd.quota_gib << 30
    # A disk of 5 MiB/s; a check, a restore, and as long for what goes over the network.
    assert largest / (5 << 20) < snapshots.patience(largest) < 6 * 3600 / 4
    assert config["ha-node.service"]["CacheDirectory"] == ["ha-kubernetes"]
