"""User data of an API server VM: flags, leader election, stopping, and who may come unnamed."""

import pytest
import yaml

from node.api import release_lease
from node.api.lease import CERTIFICATES
from tests.golden.nodes import api_node, arguments, settings, units, written

PKI = "/etc/kubernetes/pki"


@pytest.mark.parametrize("daemon", ["kube-controller-manager", "kube-scheduler"])
def test_lease_timings_come_from_the_settings(daemon):
    controllers = {"leaseDuration": "1m", "renewDeadline": "40s", "retryPeriod": "2.5s"}

    flags = arguments(api_node(settings(controllers=controllers)), f"{daemon}.service")

    assert flags["leader-elect-lease-duration"] == "60s"
    assert flags["leader-elect-renew-deadline"] == "40s"
    assert flags["leader-elect-retry-period"] == "2.5s"


@pytest.mark.parametrize("workers", [{}, {"general": {"min": 1}}])
def test_certificates_that_the_cluster_signs_are_good_for_two_weeks(workers):
    """So are those of machines that no pool has: the flag is about all of them."""
    config = api_node(settings(workers=workers))

    flags = arguments(config, "kube-controller-manager.service")
    assert flags["cluster-signing-duration"] == f"{14 * 24 * 3600}s"


@pytest.mark.parametrize(("delay", "flag", "stop"), [("130s", "130s", "205s"), ("5s", "5s", "80s")])
def test_systemd_waits_for_the_delay_the_drain_and_a_margin(delay, flag, stop):
    config = api_node(settings(api={"shutdownDelay": delay}))

    assert arguments(config, "kube-apiserver.service")["shutdown-delay-duration"] == flag
    assert units(config)["kube-apiserver.service"]["TimeoutStopSec"] == [stop]


def test_daemons_stop_in_the_order_controllers_api_server_proxy():
    services = units(api_node(settings()))

    # systemd stops in the reverse of the order of starting.
    assert "etcd-proxy.service" in services["kube-apiserver.service"]["After"][0].split()
    for controller in ("kube-controller-manager.service", "kube-scheduler.service"):
        assert "kube-apiserver.service" in services[controller]["After"][0].split()


@pytest.mark.parametrize("daemon", ["kube-controller-manager", "kube-scheduler"])
def test_a_leader_that_ended_has_its_lease_released_in_time_and_as_its_own_user(daemon):
    unit = units(api_node(settings()))[f"{daemon}.service"]

    # No `+`: it gets nothing that the daemon has not. `-`: the daemon starts again all the same.
    assert unit["ExecStopPost"] == [
        f"-/usr/bin/python3 /usr/local/lib/ha-kubernetes/node release-lease {daemon}"
    ]
    assert daemon in CERTIFICATES
    # Of one request, and there are two.
    assert float(unit["TimeoutStopSec"][0].removesuffix("s")) > 2 * release_lease.SECONDS


def test_prepare_may_name_the_machine():
    prepare = units(api_node(settings()))["node-prepare.service"]

    assert prepare["SystemCallFilter"] == ["@system-service", "@mount sethostname"]
    assert "CAP_SYS_ADMIN" in prepare["CapabilityBoundingSet"][0].split()


@pytest.mark.parametrize("user", ["controller-manager", "scheduler"])
def test_kubeconfigs_name_files_and_the_local_api_server(user):
    document = yaml.safe_load(written(api_node(settings()))[f"/etc/kubernetes/{user}.kubeconfig"])

    assert document == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "local",
                "cluster": {
                    "certificate-authority": f"{PKI}/ca.crt",
                    "server": "https://127.0.0.1:6443",
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate": f"{PKI}/{user}.crt",
                    "client-key": f"{PKI}/{user}.key",
                },
            }
        ],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": user}}],
        "current-context": "local",
    }


def test_anonymous_may_ask_for_health_and_nothing_else():
    config = api_node(settings())

    document = yaml.safe_load(written(config)["/etc/kubernetes/authentication.yaml"])

    assert document == {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {
            "enabled": True,
            "conditions": [{"path": "/livez"}, {"path": "/readyz"}, {"path": "/healthz"}],
        },
    }
    # kube-apiserver refuses to start with both.
    assert "anonymous-auth" not in arguments(config, "kube-apiserver.service")


def test_audit_log_never_holds_the_body_of_a_secret():
    policy = yaml.safe_load(written(api_node(settings()))["/etc/kubernetes/audit-policy.yaml"])

    assert policy["omitStages"] == ["RequestReceived"]
    bodies = [rule for rule in policy["rules"] if rule["level"] in {"Request", "RequestResponse"}]
    assert [rule["resources"] for rule in bodies] == [[{"group": "rbac.authorization.k8s.io"}]]
    assert policy["rules"][-1] == {"level": "Metadata"}
    for rule in policy["rules"]:
        assert rule["level"] != "None" or "secrets" not in str(rule)


def test_neither_deprecated_flags_nor_feature_gates():
    config = api_node(settings())
    deprecated = {
        "admission-control",
        "apiserver-count",
        "default-watch-cache-size",
        "enable-logs-handler",
        "kubelet-port",
        "kubelet-read-only-port",
    }

    for daemon in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        given = set(arguments(config, f"{daemon}.service"))
        assert not given & deprecated
        assert "feature-gates" not in given
    # Both are deprecated of the scheduler, and only of it.
    assert not {"kubeconfig", "profiling"} & set(arguments(config, "kube-scheduler.service"))


def test_proxy_reloads_only_a_configuration_that_is_right():
    proxy = units(api_node(settings()))["etcd-proxy.service"]

    assert proxy["ExecStart"] == ["/usr/sbin/haproxy -Ws -f /etc/ha-kubernetes/etcd-proxy.cfg"]
    assert proxy["ExecReload"] == [
        "/usr/sbin/haproxy -c -q -f /etc/ha-kubernetes/etcd-proxy.cfg",
        "/bin/kill -USR2 $MAINPID",
    ]
    assert proxy["ConditionPathExists"] == ["/etc/ha-kubernetes/etcd-proxy.cfg"]
    assert proxy["User"] == ["haproxy"]
    # Where its servers are changed; nobody but it, root and the leader watch gets there.
    assert proxy["RuntimeDirectoryMode"] == ["0750"]
    assert ["systemctl", "mask", "haproxy.service"] in yaml.safe_load(
        api_node(settings()).render()
    )["runcmd"]


def test_the_leader_watch_reads_the_keys_of_the_api_server_and_may_command_the_proxy():
    watch = units(api_node(settings()))["etcd-leader-watch.service"]

    assert watch["User"] == ["kubernetes"]
    assert watch["SupplementaryGroups"] == ["haproxy"]
    assert watch["Restart"] == ["always"]
    assert watch["ExecStart"][0].endswith(" watch-leader")


def test_the_watchdog_stays_and_may_end_the_api_server():
    watchdog = units(api_node(settings()))["kube-apiserver-liveness.service"]

    assert watchdog["Type"] == ["exec"]
    assert watchdog["ExecStart"][0].endswith(" liveness")
    assert watchdog["Restart"] == ["always"]
    # systemd lets root end a service, without any capability.
    assert "User" not in watchdog
    assert watchdog["CapabilityBoundingSet"] == [""]
    # It is silent while all is well, and what it says is for the journal.
    assert "LogLevelMax" not in watchdog


def test_networks_come_from_the_settings():
    given = settings(network={"serviceCidr": "172.20.0.0/16", "podCidr": "100.64.0.0/12"})
    config = api_node(given)

    manager = arguments(config, "kube-controller-manager.service")
    assert manager["cluster-cidr"] == "100.64.0.0/12"
    assert manager["service-cluster-ip-range"] == "172.20.0.0/16"
    server = arguments(config, "kube-apiserver.service")
    assert server["service-cluster-ip-range"] == "172.20.0.0/16"


def test_api_server_gets_nothing_of_the_etcd_tier():
    paths = set(written(api_node(settings())))

    assert "/etc/systemd/system/etcd.service" not in paths
