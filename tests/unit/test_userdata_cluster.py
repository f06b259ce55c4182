"""What workers change on API servers: the cluster agent, and flags."""

import pytest
import yaml

from tests.golden.nodes import api_node, arguments, settings, units

WORKERS = {"general": {"min": 1}}
UNIT = "ha-cluster-agent.service"
API, MANAGER = "kube-apiserver.service", "kube-controller-manager.service"


def started(config):
    commands = yaml.safe_load(config.render())["runcmd"]
    (enabled,) = (one for one in commands if one[:2] == ["systemctl", "enable"])
    return enabled


def test_the_cluster_agent_runs_where_there_are_workers():
    config = api_node(settings(workers=WORKERS))
    assert UNIT in started(config)
    unit = units(config)[UNIT]
    assert unit["ExecStart"] == ["/usr/bin/python3 /usr/local/lib/ha-kubernetes/node cluster-agent"]
    # It has the key of its certificate to read, and no right besides.
    assert unit["User"] == ["kubernetes"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert "ReadWritePaths" not in unit
    # A client of AWS without credentials stays without: it ends, and is started again.
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert API in unit["After"][0].split()


def test_a_cluster_without_workers_has_no_cluster_agent():
    config = api_node(settings())
    assert UNIT not in started(config)
    assert UNIT not in units(config)


def test_kubelets_are_verified_where_they_get_their_certificates_from_the_cluster():
    flag = "kubelet-certificate-authority"
    with_workers = arguments(api_node(settings(workers=WORKERS)), API)
    assert with_workers[flag] == "/etc/kubernetes/pki/ca.crt"
    # Kubelets of others sign their own, by default.
    assert flag not in arguments(api_node(settings()), API)


@pytest.mark.parametrize(
    ("eviction", "grace", "toleration"),
    [({}, "40s", "60"), ({"nodeMonitorGrace": "20s", "toleration": "2m"}, "20s", "120")],
)
@pytest.mark.parametrize("workers", [{}, WORKERS])
def test_eviction_times_come_from_the_settings(eviction, grace, toleration, workers):
    config = api_node(settings(workers=workers, eviction=eviction))
    flags = arguments(config, API)
    assert flags["default-not-ready-toleration-seconds"] == toleration
    assert flags["default-unreachable-toleration-seconds"] == toleration
    assert arguments(config, MANAGER)["node-monitor-grace-period"] == grace


@pytest.mark.parametrize(
    ("workers", "pod_network", "allocated"),
    [(WORKERS, "vpc", False), (WORKERS, "none", True), ({}, "vpc", True), ({}, "none", True)],
)
def test_nodes_get_ranges_only_where_pods_have_no_addresses_of_the_vpc(
    workers, pod_network, allocated
):
    config = api_node(settings(workers=workers, network={"podNetwork": pod_network}))
    flags = arguments(config, MANAGER)
    assert flags["allocate-node-cidrs"] == str(allocated).lower()
    # kube-controller-manager does not start with one and without the other.
    assert ("cluster-cidr" in flags) is allocated
