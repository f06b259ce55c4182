"""Nodes whose user data the tests look at."""

import json
from functools import cache

import yaml

from components.naming import api_servers, etcd_members, worker_pools
from components.network.placement import placement
from components.userdata import CloudConfig, api_server, etcd_member, worker
from components.userdata.agent_archive import agent_archive
from config import ClusterSettings, check

SLOTS = {"eu-central-1a": 0, "eu-central-1b": 1, "eu-central-1c": 2}


def settings(**values):
    return check({"clusterName": "demo", **values}, stack="demo")


def etcd_node(settings: ClusterSettings, number: int = 0, **values) -> CloudConfig:
    given = {
        "region": "eu-central-1",
        "volume_id": "vol-0123456789abcdef0",
        "bucket": "demo-bucket-0123456",
        **values,
    }
    return etcd_member(
        settings, etcd_members(settings, placement(settings, SLOTS, {}))[number], **given
    )


def api_node(settings: ClusterSettings, number: int = 0, **values) -> CloudConfig:
    given = {"region": "eu-central-1", "bucket": "demo-bucket-0123456", **values}
    return api_server(
        settings, api_servers(settings, placement(settings, SLOTS, {}))[number], **given
    )


def worker_node(settings: ClusterSettings, name: str = "general", **values) -> CloudConfig:
    """A machine of the pool of that name."""
    pools = {pool.name: pool for pool in worker_pools(settings, placement(settings, SLOTS, {}))}
    given = {
        "region": "eu-central-1",
        "bucket": "demo-bucket-0123456",
        "api_url": "https://demo-api-0123456789abcdef.elb.eu-central-1.amazonaws.com:6443",
        "max_pods": 110,
        **values,
    }
    return worker(settings, pools[name], **given)


POOL = {"general": {"min": 2}}
"""`workers` of a stack that has some."""

NODES = {
    "etcd": etcd_node(settings()),
    "api": api_node(settings()),
    "api with workers": api_node(settings(workers=POOL)),
    "worker": worker_node(settings(workers=POOL)),
}
"""A node of each kind."""


def every(settings: ClusterSettings) -> tuple[CloudConfig, ...]:
    """A node of each tier and of each pool."""
    return (*both(settings), *(worker_node(settings, pool) for pool in settings.workers))


def both(settings: ClusterSettings) -> tuple[CloudConfig, CloudConfig]:
    return etcd_node(settings), api_node(settings)


def reviewed(config: CloudConfig) -> str:
    """The document, whichever version of the node agent it names: that has tests of its own."""
    return config.render().replace(agent_archive().sha256, "0" * 64)


def parse(text: str) -> dict:
    """A document; by libyaml, which is ten times as fast, where PyYAML has it."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  safe, both


@cache
def written(config: CloudConfig) -> dict[str, str]:
    """What cloud-init will write, by path, as it reads it from the document."""
    document = parse(config.render())
    return {file["path"]: file["content"] for file in document["write_files"]}


def node_json(config: CloudConfig) -> dict:
    (file,) = [file for file in config.write_files if file.path == "/etc/ha-kubernetes/node.json"]
    return json.loads(file.content)


def tier(config: CloudConfig) -> str:
    return node_json(config)["tier"]


def units(config: CloudConfig) -> dict[str, dict[str, list[str]]]:
    """Settings of every unit; sections folded into one, continued lines joined."""
    prefix = "/etc/systemd/system/"
    parsed = {}
    for path, content in written(config).items():
        if path.startswith(prefix) and not path.endswith(".conf"):
            values: dict[str, list[str]] = {}
            for line in content.replace(" \\\n  ", " ").splitlines():
                if "=" in line:
                    key, value = line.split("=", 1)
                    values.setdefault(key, []).append(value)
            parsed[path.removeprefix(prefix)] = values
    return parsed


def arguments(config: CloudConfig, unit: str) -> dict[str, str]:
    """Flags of a daemon as it gets them."""
    _program, *flags = units(config)[unit]["ExecStart"][0].split()
    return dict(flag.removeprefix("--").split("=", 1) for flag in flags)


def commands(config):
    """Every command line of every unit, without the mark that its failure does not matter."""
    executed = (
        "ExecStart",
        "ExecReload",
        "ExecStartPre",
        "ExecStartPost",
        "ExecStop",
        "ExecStopPost",
    )
    for name, unit in units(config).items():
        for key in executed:
            for line in unit.get(key, []):
                yield name, line.removeprefix("-")
