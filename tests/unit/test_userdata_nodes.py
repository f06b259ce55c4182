"""What holds for the user data of every node, whatever the settings."""

import ast
import gzip
import os
import re
import shutil
import subprocess
from base64 import b64decode
from itertools import chain
from pathlib import Path
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from components.userdata import cloud_config, encode
from components.userdata.agent_archive import AGENT
from config.image import BASE
from config.reference import configuration_page
from config.versions import ArtifactName
from node import cli, contract
from node import settings as agent
from node.rounds import LIMITS
from tests.golden.nodes import (
    NODES,
    api_node,
    commands,
    etcd_node,
    every,
    node_json,
    parse,
    settings,
    tier,
    units,
    worker_node,
    written,
)
from tests.unit.ssh_keygen import ed25519, rsa

HEAD_ROOM = 14_000
"""Bytes: what the largest node may take of EC2's 16,384, so that a release can add something."""

PACKAGE = {
    "apt-get": "apt",
    "blkid": "util-linux",
    "dpkg-query": "dpkg",
    "haproxy": "haproxy",
    "journalctl": "systemd",
    "kill": "procps",
    "mkfs.ext4": "e2fsprogs",
    "openssl": "openssl",
    "python3": "python3",
    "sh": "dash",
    "systemctl": "systemd",
    "systemd-sysusers": "systemd",
}
"""The Debian package of each program that nodes call."""
TIER_ONLY = {"haproxy": "api", "mkfs.ext4": "etcd"}
BUILTINS = {"case", "do", "done", "esac", "export", "fi", "for", "if", "set", "then", "true"}


@st.composite
def valid_settings(draw):
    heartbeat = draw(st.integers(10, 1000))
    retry = draw(st.integers(1, 10))
    values = {
        "clusterName": draw(st.from_regex(r"[b-r][a-z0-9-]{0,18}[a-z0-9]", fullmatch=True)),
        "architecture": draw(st.sampled_from(["amd64", "arm64"])),
        "etcd": {
            "size": draw(st.sampled_from([1, 3, 5, 7])),
            "heartbeatMs": heartbeat,
            "electionMs": draw(st.integers(max(100, 5 * heartbeat), 50_000)),
            "quotaGib": draw(st.integers(1, 8)),
        },
        "api": {
            "size": draw(st.integers(2, 9)),
            "shutdownDelay": f"{draw(st.integers(1, 400))}s",
        },
        "controllers": {
            "retryPeriod": f"{retry}s",
            "renewDeadline": f"{2 * retry}s",
            "leaseDuration": f"{2 * retry + draw(st.integers(1, 60))}s",
        },
        "network": {"podCidr": draw(st.sampled_from(["10.244.0.0/16", "100.64.0.0/10"]))},
        "tags": draw(
            st.dictionaries(st.sampled_from(["team", "cost"]), st.text("abc :é", max_size=9))
        ),
    }
    if draw(st.booleans()):
        values["artifacts"] = {
            "mirror": draw(
                st.from_regex(
                    r"https://[a-z0-9]{1,40}(\.[a-z]{2,9})?(:[1-9][0-9]{1,3})?(/[a-z0-9]{1,9}){0,3}",
                    fullmatch=True,
                )
            ),
            "sha256": {"etcd": "0" * 64, "kube-scheduler": "1" * 64},
        }
    if draw(st.booleans()):
        values["network"]["podNetwork"] = "none"
        values["workers"] = {
            draw(st.from_regex(r"[a-z]([a-z0-9-]{0,13}[a-z0-9])?", fullmatch=True)): {"min": 1}
        }
    return settings(**values)


def largest():
    """Every setting as long as it may be; texts that nobody writes do not compress."""
    random = Random(7)
    sums = {name: f"{random.getrandbits(256):064x}" for name in get_args(ArtifactName)}
    tags = {
        f"{random.getrandbits(512):0128x}": f"{random.getrandbits(1024):0256x}" for _ in range(40)
    }
    mirror = f"https://{random.getrandbits(236):059x}.{random.getrandbits(236):059x}.example"
    return settings(
        clusterName="q7x-w3k-z9v-j5m-h1pt",
        architecture="arm64",
        etcd={"size": 7, "heartbeatMs": 5000, "electionMs": 50000, "quotaGib": 8},
        api={"size": 9, "shutdownDelay": "1111.5s"},
        controllers={
            "leaseDuration": "1111s",
            "renewDeadline": "99.25s",
            "retryPeriod": "22.125s",
        },
        network={
            "cidr": "10.255.192.0/18",
            "podCidr": "100.112.0.0/12",
            "podNetwork": "none",
            "serviceCidr": "172.24.128.0/17",
        },
        artifacts={"mirror": f"{mirror}:65535/{random.getrandbits(232):058x}", "sha256": sums},
        tags=tags,
        operatorAccess="instance-connect",
        operatorKeys=[rsa(comment=f"{number:040d}") for number in range(3)],
        ami="ami-0123456789abcdef0",
        workers={"x3q-w7k-z2v-j8m": largest_pool(random)},
    )


def largest_pool(random):
    """As many labels and taints as a pool may have."""

    def text(bits):
        return f"x{random.getrandbits(bits):0{bits // 4}x}"

    # Of a pool that CoreDNS runs on.
    taints = [f"{text(240)}={text(240)}:PreferNoSchedule" for _ in range(20)]
    labels = {f"{text(240)}.example/{text(240)}": text(240) for _ in range(20)}
    return {"min": 1, "labels": labels, "taints": taints}


def largest_nodes():
    given = largest()
    bucket = "q7x-w3k-z9v-j5m-h1pt-bucket-8f14e45fceea167a5a36dedd4bea2543"
    region = "us-isob-east-1"
    return (
        etcd_node(given, 6, region=region, volume_id="vol-0fedcba9876543210", bucket=bucket),
        api_node(given, 8, region=region, bucket=bucket),
        worker_node(given, *given.workers, region=region, bucket=bucket),
    )


@pytest.mark.parametrize("node", largest_nodes(), ids=tier)
def test_largest_node_leaves_head_room(node, record_property):
    size = len(b64decode(encode(node)))
    record_property("bytes", size)

    assert size <= HEAD_ROOM


@profile(max_examples=10, deadline=None)
@given(valid_settings())
def test_documents_are_deterministic_and_parse_to_what_was_meant(given):
    for config, again in zip(every(given), every(given), strict=True):
        text = config.render()
        assert again == config
        cloud_config._rendered.cache_clear()
        assert again.render() == text
        assert encode(again) == encode(config)
        assert gzip.decompress(b64decode(encode(config))).decode() == text
        assert text.startswith("#cloud-config\n")
        document = parse(text)
        assert {file["path"]: file["content"] for file in document["write_files"]} == {
            file.path: file.content for file in config.write_files
        }
        assert len(document["write_files"]) == len(config.write_files)
        assert all(isinstance(word, str) for command in document["runcmd"] for word in command)


@profile(max_examples=10, deadline=None)
@given(valid_settings())
def test_text_stays_readable_and_holds_no_secret(given):
    for config in every(given):
        text = config.render()
        assert "\t" not in text
        assert not re.search(r"[ ]$", text, re.MULTILINE)
        # PyYAML writes what it cannot put in a block as one quoted line.
        blocks = [file for file in config.write_files if file.content]
        assert text.count("content: |") == len(blocks)
        assert "-----BEGIN" not in text
        assert "PRIVATE KEY" not in text


@profile(max_examples=20, deadline=None)
@given(valid_settings())
def test_node_agent_reads_its_document(given):
    for config in every(given):
        document = node_json(config)
        parsed = agent.parse(document)
        if config.hostname is None:
            (pool,) = given.workers
            assert parsed.name == f"{given.cluster_name}-workers-{pool}"
            assert parsed.worker.pool == pool
        else:
            assert (parsed.name, parsed.tier) == (config.hostname, config.hostname.split("-")[0])
        assert parsed.cluster == given.cluster_name
        assert [artifact.url for artifact in parsed.artifacts] == [
            artifact["url"] for artifact in document["artifacts"]
        ]
        assert all(artifact.url.startswith("https://") for artifact in parsed.artifacts)


@pytest.mark.parametrize("number", range(7))
def test_size_of_the_etcd_tier_changes_no_byte(number):
    sizes = [size for size in (1, 3, 5, 7) if size > number]

    members = {etcd_node(settings(etcd={"size": size}), number).render() for size in sizes}

    assert len(members) == 1


def test_size_of_either_tier_changes_no_byte_of_an_api_server():
    servers = {
        api_node(settings(etcd={"size": etcd}, api={"size": api})).render()
        for etcd in (1, 3, 5, 7)
        for api in (2, 3, 9)
    }

    assert len(servers) == 1


@pytest.fixture(params=NODES)
def config(request):
    return NODES[request.param]


def test_every_program_of_a_unit_is_there(config):
    files = written(config)
    modes = {file.path: file.permissions for file in config.write_files}
    installed = {
        f"/usr/local/bin/{name}"
        for artifact in node_json(config)["artifacts"]
        for name in artifact["binaries"]
    }

    for unit, line in commands(config):
        binary = line.split()[0]
        if binary in files:
            assert modes[binary] == "0755", unit
        elif binary not in installed:
            assert PACKAGE[binary.rpartition("/")[2]] in packages(config), unit


def packages(config):
    """What the image holds at least, and what is installed."""
    (line,) = units(config)["node-packages.service"]["ExecStart"]
    return {*BASE, *line.split()[1:]}


def test_every_program_of_a_script_and_of_the_first_boot_is_there(config):
    called = {command[0] for command in parse(config.render())["runcmd"]}
    for text in written(config).values():
        if text.startswith("#!"):
            called.add(text.removeprefix("#!").split()[0])
        if text.startswith("#!/bin/sh"):
            code = re.sub(r"(?m)^ *#.*$", "", text).replace("exec ", "")
            start = r"(?m)(?:^|[|;&]|\$\()"
            called |= set(re.findall(start + r" *([a-z/][\w./-]*)(?![\w=])", code))
    called = {name.rpartition("/")[2] for name in called} - BUILTINS

    assert {"apt-get", "dpkg-query", "systemctl", "sh", "python3"} <= called
    assert {PACKAGE[name] for name in called} <= packages(config)


def test_every_program_that_the_node_agent_calls_is_there(config):
    binaries = {name for a in node_json(config)["artifacts"] for name in a["binaries"]}
    called = set()
    for path in sorted(Path(agent.__file__).parent.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            name = isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2]
            if name in {"run", "execute", "Popen", "which"} and call.args:
                first = call.args[0]
                if isinstance(first, ast.Constant):
                    called.add(first.value)

    assert {"openssl", "systemctl", "mkfs.ext4", "haproxy"} <= called
    for name in called - binaries - {"etcdctl", "etcdutl"}:
        if TIER_ONLY.get(name, tier(config)) == tier(config):
            assert PACKAGE[name] in packages(config), name


def test_upgrades_of_the_system_come_to_one_node_of_a_tier_a_day():
    path = "/etc/systemd/system/apt-daily-upgrade.timer.d/ha-kubernetes.conf"
    days = [written(etcd_node(settings(etcd={"size": 7}), number))[path] for number in range(7)]

    assert len(set(days)) == 7
    for day in days:
        # An empty setting takes the image's own hour away.
        assert re.search(r"^OnCalendar=\nOnCalendar=(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d", day, re.M)
    assert written(api_node(settings()))[path] == days[0]


def test_documentation_names_what_an_image_needs(config):
    (line,) = units(config)["node-packages.service"]["ExecStart"]

    assert f"| {tier(config)} | {', '.join(line.split()[1:])} |\n" in configuration_page()


def test_packages_are_those_that_debian_says():
    """Where Debian's package manager is, and the program."""
    for name, package in PACKAGE.items():
        path = shutil.which(name)
        if path and shutil.which("dpkg"):
            found = {path, os.path.realpath(path), path.removeprefix("/usr")}
            done = subprocess.run(
                ["dpkg", "-S", *found], capture_output=True, text=True, check=False
            )
            owners = {line.partition(":")[0] for line in done.stdout.splitlines()}
            # What was installed past the package manager is nobody's.
            assert not owners or package in owners or name == "python3", (name, owners)


def test_every_path_that_a_daemon_reads_is_written_by_somebody(config):
    node = agent.parse(node_json(config))
    prepared = {str(node.pki / name) for name in node.files}
    by_agent = {contract.NODE_ENV, contract.PROXY_CONFIG, contract.CLUSTER_ENV}
    directories = {contract.ETCD_DATA, "/var/log/kubernetes/audit.log"}
    if tier(config) == "worker":
        by_agent |= {contract.BOOTSTRAP_KUBECONFIG}
        # The kubelet's own, systemd's and containerd's.
        directories |= {
            contract.KUBELET_KUBECONFIG,
            contract.KUBELET_CERTIFICATE,
            contract.KUBELET_PKI,
            "/etc/kubernetes/kubelet.conf.d",
            "/run/systemd/resolve/resolv.conf",
            "/run/containerd/containerd.sock",
        }
    texts = chain(
        (line for _, line in commands(config)),
        chain.from_iterable(unit.get("EnvironmentFile", []) for unit in units(config).values()),
        (text for path, text in written(config).items() if path.startswith("/etc/kubernetes/")),
    )
    paths = {
        path
        for text in texts
        for path in re.findall(r"(?<![\w/:.*])/(?:etc|var|run)/[\w./-]+", text)
    }

    assert paths
    assert paths - set(written(config)) - prepared - by_agent - directories == set()


def test_prepared_files_are_all_used(config):
    node = agent.parse(node_json(config))
    text = config.render()

    # The cluster agent looks for its certificate by itself.
    own = {f"{agent.CLUSTER_AGENT}.{kind}" for kind in ("crt", "key")}
    unused = {name for name in node.files if str(node.pki / name) not in text}
    assert unused == own & set(node.files)


def test_only_scripts_are_executable_and_everything_is_roots(config):
    document = parse(config.render())

    for file in document["write_files"]:
        script = file["content"].startswith("#!")
        assert file["permissions"] == ("0755" if script else "0644"), file["path"]
        assert file["owner"] == "root:root"
        assert file["content"].endswith("\n") or file["content"] == ""


def test_first_boot_enables_every_unit_and_waits_for_none(config):
    runcmd = parse(config.render())["runcmd"]
    *_, last = runcmd
    enabled = set(last[4:])

    assert last[:4] == ["systemctl", "enable", "--now", "--no-block"]
    assert enabled == {name for name, unit in units(config).items() if "WantedBy" in unit}
    # What is not enabled is started by its timer.
    for name in set(units(config)) - enabled:
        assert name.replace(".service", ".timer") in enabled
    assert ["systemd-sysusers"] in runcmd
    assert runcmd.index(["systemctl", "daemon-reload"]) < len(runcmd) - 1


def test_no_unit_gives_up_or_falls_with_another(config):
    for name, unit in units(config).items():
        for hard in ("Requires", "Requisite", "BindsTo", "PartOf"):
            assert hard not in unit, name
        if "Restart" in unit:
            assert unit["StartLimitIntervalSec"] == ["0"], name
            assert "RestartSec" in unit, name
        else:
            # Its timer starts it again.
            assert name.endswith(".timer") or name.replace(".service", ".timer") in units(config)


def test_daemons_are_confined_to_what_they_need(config):
    names = {"etcd.service", "etcd-proxy.service", "kube-apiserver.service"}
    names |= {"kube-controller-manager.service", "kube-scheduler.service"}
    daemons = {name: unit for name, unit in units(config).items() if name in names}

    # A worker's are the machine's own, but for kube-proxy (test_userdata_worker.py).
    assert bool(daemons) == (tier(config) != "worker")
    for name, unit in daemons.items():
        assert unit["User"] in (["etcd"], ["haproxy"], ["kubernetes"]), name
        assert unit["CapabilityBoundingSet"] == [""], name
        assert unit["ProtectSystem"] == ["strict"], name
        for protection in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "PrivateDevices"):
            assert unit[protection] == ["yes"], name
        assert unit["SystemCallFilter"] == ["@system-service", "~@privileged"], name
        assert unit["LimitCORE"] == ["0"], name
        assert "OOMScoreAdjust" in unit, name
        assert "LimitNOFILE" in unit, name


def test_the_agent_comes_after_the_packages_and_before_it_is_run(config):
    services = units(config)
    fetch, prepare = services["node-agent.service"], services["node-prepare.service"]

    assert fetch["ExecStart"] == ["/usr/local/lib/ha-kubernetes/fetch-agent"]
    assert fetch["Type"] == ["oneshot"]
    assert fetch["RemainAfterExit"] == ["yes"]
    assert fetch["Restart"] == ["on-failure"]
    for order in ("Wants", "After"):
        assert "node-packages.service" in fetch[order][0].split()
        assert "node-agent.service" in prepare[order][0].split()


def test_the_fetcher_may_write_where_the_agent_goes_and_nowhere_else(config):
    fetch = units(config)["node-agent.service"]

    assert fetch["ProtectSystem"] == ["strict"]
    assert fetch["ReadWritePaths"] == ["/usr/local/lib/ha-kubernetes"]
    assert fetch["CapabilityBoundingSet"] == [""]
    assert fetch["NoNewPrivileges"] == ["yes"]


def test_no_module_of_the_agent_is_in_user_data(config):
    assert not [path for path in written(config) if "/ha-kubernetes/node/" in path]
    assert not [path for path in written(config) if path.endswith(".py")]


def test_the_agent_understands_every_command_line_of_a_unit():
    lines = [line.split() for config in NODES.values() for _, line in commands(config)]
    given = [cli.parser().parse_args(words[2:]) for words in lines if AGENT in words]

    # `restore` is for people; the agent itself runs some of them.
    assert {one.command for one in given} == cli.COMMANDS.keys() - {"restore"} - LIMITS.keys()


def test_prepare_makes_no_mount_namespace_for_etcd_would_not_see_its_disk(config):
    prepare = units(config)["node-prepare.service"]

    namespaced = {"ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ReadWritePaths"}
    assert not namespaced & set(prepare)
    assert prepare["NoNewPrivileges"] == ["yes"]
    assert "CAP_SYS_ADMIN" in prepare["CapabilityBoundingSet"][0].split()
    assert "UMask" not in prepare


def test_the_agent_runs_for_as_long_as_the_machine(config):
    service = units(config)["ha-node.service"]

    assert service["ExecStart"] == ["/usr/bin/python3 /usr/local/lib/ha-kubernetes/node run"]
    assert service["Restart"] == ["always"]
    assert service["StartLimitIntervalSec"] == ["0"]
    # Not before there is something to reconcile, and not instead of another attempt to prepare.
    assert "node-prepare.service" in service["After"][0].split()
    assert "node-prepare.service" in service["Wants"][0].split()
    assert "Requires" not in service
    assert any("enable" in words and "ha-node.service" in words for words in config.runcmd)


def test_host_has_a_clock_a_bounded_journal_and_kernel_settings(config):
    files = written(config)

    assert (
        "server 169.254.169.123 prefer iburst"
        in files["/etc/chrony/sources.d/amazon-time-sync.sources"]
    )
    assert "SystemMaxUse=1G" in files["/etc/systemd/journald.conf.d/ha-kubernetes.conf"]
    for line in files["/etc/sysctl.d/90-ha-kubernetes.conf"].splitlines():
        assert re.fullmatch(r"#.*|-[a-z0-9_.]+ = \d+", line), line


def test_what_nodes_look_up_while_they_run_is_not_in_their_user_data():
    given = settings(
        operatorAccess="instance-connect",
        operatorKeys=[ed25519(comment="alice@example")],
        artifacts={"mirror": "https://mirror.example"},
        etcd={"snapshots": {"everyMinutes": 7, "keepDays": 3}},
    )

    for node, plain in zip(every(given), every(settings()), strict=True):
        assert node.render() == plain.render()


def test_the_server_for_ssh_takes_the_keys_that_the_node_agent_writes(config):
    (keys,) = re.findall(
        r"AuthorizedKeysFile .* (/\S+)\n",
        written(config)["/etc/ssh/sshd_config.d/60-ha-kubernetes.conf"],
    )

    assert keys == contract.AUTHORIZED_KEYS
    # It is one of the paths that `reconcile` may write to.
    service = units(config)["ha-node.service"]
    assert any(keys.startswith(f"{path}/") for path in service["ReadWritePaths"][0].split())
