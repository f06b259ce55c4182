"""User data of workers: the container runtime, the kubelet, kube-proxy, and what changes it."""

import re
import tomllib
from datetime import timedelta

import pytest
import yaml

from components.userdata.kubelet import DEAD_CONNECTION
from config.eviction import EvictionSettings
from config.versions import CNI_PLUGINS, CONTAINERD, KUBERNETES, RUNC
from config.workers import WorkerPoolSettings
from node import contract
from node.worker.identity import Identity
from tests.golden.nodes import (
    POOL,
    arguments,
    node_json,
    parse,
    settings,
    units,
    worker_node,
    written,
)

KUBELET = "/etc/kubernetes/kubelet.yaml"
KUBE_PROXY = "/etc/kubernetes/kube-proxy.yaml"


def node(**pool):
    return worker_node(settings(workers={"general": {"min": 2, **pool}}))


def document(config, path):
    return yaml.safe_load(written(config)[path])


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_every_binary_has_upstreams_sum_and_its_place(arch):
    config = worker_node(settings(architecture=arch, workers=POOL))

    found = {tuple(one["binaries"]): one for one in node_json(config)["artifacts"]}

    plugins = ("bridge", "host-local", "loopback", "portmap", "ptp")
    releases = {
        ("containerd", "containerd-shim-runc-v2", "ctr"): (CONTAINERD, "containerd"),
        ("runc",): (RUNC, "runc"),
        plugins: (CNI_PLUGINS, "cni-plugins"),
        ("kubelet",): (KUBERNETES, "kubelet"),
        ("kube-proxy",): (KUBERNETES, "kube-proxy"),
    }
    assert found.keys() == releases.keys()
    for binaries, (release, name) in releases.items():
        assert found[binaries]["sha256"] == release.sha256[release.default][arch][name]
        assert arch in found[binaries]["url"]
    assert found[plugins]["directory"] == contract.CNI_BINARIES
    assert found[plugins]["kind"] == "tar.gz"
    assert "directory" not in found[("runc",)]
    assert found[("runc",)]["kind"] == "binary"


def test_sums_of_ones_own_replace_upstreams():
    sums = {"containerd": "0" * 64, "cni-plugins": "1" * 64, "kubelet": "2" * 64}
    config = worker_node(settings(artifacts={"sha256": sums}, workers=POOL))

    found = {one["sha256"] for one in node_json(config)["artifacts"]}

    assert set(sums.values()) < found


# Runtime


def containerd(config):
    return tomllib.loads(written(config)["/etc/containerd/config.toml"])


def test_the_runtime_and_the_kubelet_leave_cgroups_to_systemd():
    config = node()

    runtime = containerd(config)["plugins"]["io.containerd.cri.v1.runtime"]

    assert containerd(config)["version"] == 3
    assert runtime["containerd"]["runtimes"]["runc"]["options"] == {"SystemdCgroup": True}
    assert document(config, KUBELET)["cgroupDriver"] == "systemd"


def test_the_runtime_finds_plug_ins_and_their_configuration():
    cni = containerd(node())["plugins"]["io.containerd.cri.v1.runtime"]["cni"]

    assert cni["bin_dirs"] == [contract.CNI_BINARIES]
    assert contract.CNI_CONFIG.startswith(f"{cni['conf_dir']}/")


def test_the_image_of_every_pod_is_by_digest_and_may_be_ones_own():
    def sandbox(given):
        images = containerd(worker_node(given))["plugins"]["io.containerd.cri.v1.images"]
        return images["pinned_images"]["sandbox"]

    own = f"registry.example/pause:3@sha256:{'0' * 64}"

    assert re.search(r"^registry\.k8s\.io/pause:.*@sha256:[0-9a-f]{64}$", sandbox(with_pool()))
    assert sandbox(with_pool(artifacts={"images": {"pause": own}})) == own


def with_pool(**given):
    return settings(workers=POOL, **given)


def test_containers_outlive_their_runtime():
    unit = units(node())["containerd.service"]

    assert unit["KillMode"] == ["process"]
    assert unit["Delegate"] == ["yes"]
    assert unit["Type"] == ["notify"]


def test_the_kernel_has_what_kube_proxy_and_containers_set():
    config = node()

    assert written(config)["/etc/modules-load.d/ha-kubernetes.conf"].split() == [
        "nf_conntrack",
        "overlay",
    ]
    assert (
        "-net.ipv4.ip_forward = 1\n" in written(config)["/etc/sysctl.d/91-ha-kubernetes-pods.conf"]
    )
    runcmd = parse(config.render())["runcmd"]
    load = runcmd.index(["systemctl", "restart", "systemd-modules-load.service"])
    sysctl = next(n for n, command in enumerate(runcmd) if "systemd-sysctl.service" in command)
    assert load < sysctl < len(runcmd) - 1


# kubelet


def test_nobody_reaches_the_kubelet_unnamed():
    configuration = document(node(), KUBELET)

    assert configuration["authentication"]["anonymous"] == {"enabled": False}
    assert configuration["authentication"]["webhook"] == {"enabled": True}
    assert configuration["authentication"]["x509"] == {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}
    assert configuration["authorization"] == {"mode": "Webhook"}
    assert configuration["readOnlyPort"] == 0
    # No directory of pods that no API server knows.
    assert "staticPodPath" not in configuration


def test_both_certificates_are_asked_for_and_renewed():
    config = node()

    configuration, flags = document(config, KUBELET), arguments(config, "kubelet.service")

    assert configuration["serverTLSBootstrap"] is True
    assert configuration["rotateCertificates"] is True
    assert flags["bootstrap-kubeconfig"] == contract.BOOTSTRAP_KUBECONFIG
    assert flags["kubeconfig"] == contract.KUBELET_KUBECONFIG
    assert flags["cert-dir"] == contract.KUBELET_PKI
    assert not [name for name in configuration if name.startswith("tls") and "File" in name]


def test_each_machine_is_its_own_though_all_have_one_user_data():
    config = node()
    identity = Identity("10.0.0.9", "ip-10-0-0-9.internal", "i-0a", "eu-1a", "eu-1", "m6i.large")
    given = dict(line.split("=", 1) for line in identity.environment().splitlines())

    texts = [" ".join(units(config)[f"{name}.service"]["ExecStart"]) for name in DAEMONS]
    used = set(re.findall(r"\$\{(\w+)\}", " ".join(texts)))

    assert used == given.keys()
    for name in DAEMONS:
        assert units(config)[f"{name}.service"]["EnvironmentFile"] == [contract.NODE_ENV]
        assert arguments(config, f"{name}.service")["hostname-override"] == "${NODE_NAME}"
    assert arguments(config, "kubelet.service")["provider-id"] == "${PROVIDER_ID}"
    assert "hostname" not in parse(config.render())


DAEMONS = ("kubelet", "kube-proxy")


def test_no_controller_has_to_come_before_pods_may():
    # Without a cloud controller manager the taint of an external provider would stay for ever.
    assert "cloud-provider" not in arguments(node(), "kubelet.service")


def test_labels_are_those_of_the_cloud_and_of_the_pool():
    config = node(labels={"team": "a", "example.com/tier": "front", "alone": ""})

    labels = arguments(config, "kubelet.service")["node-labels"].split(",")

    assert labels == [
        "node.kubernetes.io/instance-type=${INSTANCE_TYPE}",
        "topology.kubernetes.io/region=${REGION}",
        "topology.kubernetes.io/zone=${ZONE}",
        "ha-kubernetes/pool=general",
        "alone=",
        "example.com/tier=front",
        "team=a",
    ]


def test_taints():
    workers = {
        **POOL,
        "batch": {"min": 1, "taints": ["a.example/b=c:NoSchedule", "d:NoExecute"]},
    }

    configuration = document(worker_node(settings(workers=workers), "batch"), KUBELET)

    assert configuration["registerWithTaints"] == [
        {"key": "a.example/b", "value": "c", "effect": "NoSchedule"},
        {"key": "d", "effect": "NoExecute"},
    ]
    assert "registerWithTaints" not in document(node(), KUBELET)


@pytest.mark.parametrize(("pods", "reserved"), [(16, "431Mi"), (80, "1135Mi"), (110, "1465Mi")])
def test_memory_of_the_daemons_grows_with_the_pods(pods, reserved):
    configuration = document(worker_node(with_pool(), max_pods=pods), KUBELET)

    assert configuration["maxPods"] == pods
    assert configuration["kubeReserved"]["memory"] == reserved


def test_pods_ask_the_clusters_dns_and_it_asks_the_machines_own_servers():
    config = worker_node(with_pool(network={"serviceCidr": "172.20.0.0/16"}))

    configuration = document(config, KUBELET)

    assert configuration["clusterDNS"] == ["172.20.0.10"]
    assert configuration["clusterDomain"] == "cluster.local"
    assert configuration["resolvConf"] == "/run/systemd/resolve/resolv.conf"


def test_the_kubelet_starts_again_for_ever_and_stops_before_the_runtime():
    unit = units(node())["kubelet.service"]

    assert unit["Restart"] == ["always"]
    assert "containerd.service" in unit["After"][0].split()
    for key in ("ConditionPathExists", "Requires", "BindsTo"):
        assert key not in unit


def test_an_api_server_that_is_dead_is_left_before_the_worker_counts_as_dead():
    seconds = sum(int(setting.partition("=")[2]) for setting in DEAD_CONNECTION)
    (limits,) = (field for name, field in EvictionSettings.model_fields.items() if "grace" in name)

    for name in DAEMONS:
        assert units(node())[f"{name}.service"]["Environment"] == DEAD_CONNECTION
    assert timedelta(seconds=seconds) < limits.default
    # The least that may be set.
    assert seconds < 15


def test_pods_have_time_to_stop_when_their_machine_shuts_down():
    configuration = document(node(), KUBELET)

    period = int(configuration["shutdownGracePeriod"].removesuffix("s"))
    critical = int(configuration["shutdownGracePeriodCriticalPods"].removesuffix("s"))
    # The default of terminationGracePeriodSeconds.
    assert period - critical >= 30
    assert critical > 0


def test_a_machine_of_another_kind_may_add_to_both_configurations():
    config = node()

    drop_ins = arguments(config, "kubelet.service")["config-dir"]

    # The kubelet does not start when the directory is missing.
    assert units(config)["kubelet.service"]["ConfigurationDirectory"] == [
        drop_ins.removeprefix("/etc/")
    ]
    assert containerd(config)["imports"] == ["/etc/containerd/conf.d/*.toml"]


# kube-proxy


def test_kube_proxy_is_who_the_kubelet_is_and_uses_the_load_balancer():
    config = node()

    kubeconfig = document(config, "/etc/kubernetes/kube-proxy.conf")

    assert document(config, KUBE_PROXY)["clientConnection"] == {
        "kubeconfig": "/etc/kubernetes/kube-proxy.conf"
    }
    (user,) = kubeconfig["users"]
    assert set(user["user"].values()) == {contract.KUBELET_CERTIFICATE}
    (cluster,) = kubeconfig["clusters"]
    assert cluster["cluster"]["server"] == node_json(config)["worker"]["api"]


def test_kube_proxy_knows_pods_by_their_interface_or_by_the_range_of_somebody_elses_network():
    vpc = document(node(), KUBE_PROXY)
    other = with_pool(network={"podNetwork": "none", "podCidr": "10.128.0.0/12"})
    none = document(worker_node(other), KUBE_PROXY)

    assert vpc["mode"] == none["mode"] == "nftables"
    assert vpc["detectLocalMode"] == "InterfaceNamePrefix"
    assert vpc["detectLocal"] == {"interfaceNamePrefix": "veth"}
    assert "clusterCIDR" not in vpc
    assert none["detectLocalMode"] == "ClusterCIDR"
    assert none["clusterCIDR"] == "10.128.0.0/12"


def test_load_balancers_ask_kube_proxy_and_nobody_else_its_metrics():
    configuration = document(node(), KUBE_PROXY)

    assert configuration["healthzBindAddress"].startswith("0.0.0.0:")
    assert configuration["metricsBindAddress"].startswith("127.0.0.1:")


def test_kube_proxy_is_confined_to_the_network():
    unit = units(node())["kube-proxy.service"]

    assert unit["CapabilityBoundingSet"] == ["CAP_NET_ADMIN"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["NoNewPrivileges"] == ["yes"]
    assert "ReadWritePaths" not in unit
    # It writes to /proc/sys/net and /sys/module/nf_conntrack, and dies where it cannot.
    assert unit["ProtectKernelTunables"] == ["no"]
    assert "nftables" in units(node())["node-packages.service"]["ExecStart"][0].split()


# What changes user data, and so replaces machines


def other(field):
    """Another value of a setting of a pool."""
    return {
        "min": 7,
        "max": 9,
        "instance_type": "m6i.xlarge",
        "spot": True,
        "disk_gib": 50,
        "per_zone": True,
        "labels": {"team": "a"},
        "taints": ["team=a:PreferNoSchedule"],
    }[field]


@pytest.mark.parametrize("field", WorkerPoolSettings.model_fields)
def test_what_the_machine_does_not_need_to_know_is_not_in_its_user_data(field):
    alias = WorkerPoolSettings.model_fields[field].alias

    changed = node(**{alias: other(field)}).render() != node().render()

    # Which group it is of, it names when a drain is over.
    assert changed == (field in {"labels", "taints", "per_zone"})


def test_neither_tier_nor_another_pool_changes_a_byte():
    more = {**POOL, "batch": {"min": 5, "labels": {"a": "b"}}}
    given = [
        settings(workers=POOL),
        settings(workers=more),
        settings(workers=POOL, etcd={"size": 5}, api={"size": 5}),
        settings(workers=POOL, eviction={"nodeMonitorGrace": "20s", "toleration": "10s"}),
        settings(workers=POOL, artifacts={"mirror": "https://mirror.example"}),
    ]

    assert len({worker_node(one).render() for one in given}) == 1


def test_upgrades_of_the_system_come_to_the_machines_of_a_pool_over_a_week():
    timer = written(node())["/etc/systemd/system/apt-daily-upgrade.timer.d/ha-kubernetes.conf"]

    assert re.search(r"^OnCalendar=\nOnCalendar=Mon ", timer, re.MULTILINE)
    assert "RandomizedDelaySec=6d\n" in timer
    # By machine id: another delay at every boot could put an upgrade off for ever.
    assert "FixedRandomDelay=yes\n" in timer


def test_nothing_in_it_is_a_token_or_names_what_only_the_control_plane_reads():
    text = node().render()

    for taboo in ("bootstrap-token", "sa.key", "/demo/nodes/", "/demo/etcd/", "etcd-ca"):
        assert taboo not in text
