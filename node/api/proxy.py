"""An API node's reconciliation: HAProxy's server list follows the membership."""

import shutil

from node import files
from node.api.haproxy import render
from node.aws import ParameterStore
from node.errors import AwsError, NodeError
from node.machine import Machine
from node.machine import run as execute
from node.membership import members
from node.settings import PROXY_CONFIG, Settings, at

UNIT = "etcd-proxy.service"


def run(settings: Settings, machine: Machine) -> str:
    """Have HAProxy serve the desired members; what was done."""
    path, applied = at(PROXY_CONFIG), at(f"{PROXY_CONFIG}.applied")
    try:
        wanted = members(ParameterStore(settings.region).get(settings.parameters["members"]))
    except AwsError as error:
        if not path.exists():
            raise
        return f"kept the etcd members that HAProxy has: {error}"
    if not wanted:
        raise NodeError("the etcd members parameter is empty: run pulumi up")
    config = render(wanted)
    names = ", ".join(sorted(member.name for member in wanted))
    if files.read(path) == files.read(applied) == config:
        return f"HAProxy has {names}"
    candidate = path.with_suffix(".candidate")
    files.write(candidate, config)
    if shutil.which("haproxy"):
        execute("haproxy", "-c", "-f", str(candidate))
    candidate.replace(path)
    machine.reload(UNIT)
    # Only now: a run that was stopped before the reload must not take it for done.
    files.write(applied, config)
    return f"HAProxy now has {names}"
