"""Certificates and keys follow Parameter Store while the daemons run, and restart none of them.

Who reads what when, by the sources of etcd 3.6.14 and Kubernetes 1.36.3:

    etcd                      server.*, peer.*          at every handshake
                              ca.crt                    when it starts
    kube-apiserver            apiserver.*, ca.crt, front-proxy-ca.crt, front-proxy-client.*,
                              encryption.yaml           when they change, a minute later at most
                              apiserver-etcd-client.*   at every handshake
                              apiserver-kubelet-client.*  at every handshake; every five minutes
                                                        it ends connections with the old one
                              etcd-ca.crt, sa.*         when it starts
    kube-controller-manager   controller-manager.*      as apiserver-kubelet-client.*
                              ca.crt, ca.key to sign    when they change
                              ca.crt to trust           every five minutes
                              ca.crt to publish, sa.key when it starts
    kube-scheduler            scheduler.*, ca.crt       as kube-controller-manager
    cluster agent             cluster-agent.*, ca.crt   in every round, each 5 s

A reissue (`pki.epoch`) replaces leaves only, so it restarts nothing.
"""

import json
from collections.abc import Mapping

from node import credentials, files
from node.aws import ParameterStore
from node.contract import API_SERVER_UNIT, ETCD_UNIT
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings

READ_AT_START: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "etcd": {ETCD_UNIT: ("ca.crt",)},
    "api": {
        API_SERVER_UNIT: ("etcd-ca.crt", "sa.key", "sa.pub"),
        "kube-controller-manager.service": ("ca.crt", "sa.key"),
    },
}
"""What a running daemon does not read again, by tier and unit."""


def run(settings: Settings, machine: Machine) -> list[str]:
    """Bring the files up to date; what was done, what failed, and who must be restarted.

    Without AWS, and while what it offers is not complete, the files stay as they are.
    """
    try:
        done = _fetch(settings)
    except NodeError as error:
        done = [f"kept the certificates on disk: {error}"]
    except OSError as error:
        done = [f"could not write the certificates: {error}"]
    try:
        return [*done, *stale(settings, machine)]
    except (NodeError, OSError) as error:
        return [*done, f"nobody knows whether a daemon must be restarted: {error}"]


def _fetch(settings: Settings) -> list[str]:
    """Fetch the files when one was written since; names of those that changed.

    Versions are asked for in the clear: decrypting every file of every node twice a minute would
    be a million requests to KMS a month.
    """
    credentials.finish(settings)
    store, path = ParameterStore(settings.region), settings.parameters["files"]
    record = settings.pki / ".versions"
    # Before the files: what is written in between is fetched by the next run.
    versions = json.dumps(store.versions(path), indent=1, sort_keys=True)
    if files.read(record) == versions and not credentials.problems(settings, settings.pki):
        return []
    changed = credentials.replace(settings, store.files(path))
    files.write(record, versions)
    return [f"wrote {', '.join(changed)}"] if changed else []


def stale(settings: Settings, machine: Machine) -> list[str]:
    """A sentence for each daemon that started before a file which it does not read again."""
    said = []
    for unit, names in READ_AT_START[settings.tier].items():
        started = machine.started(unit)
        if started is None:
            continue
        # systemd gives whole seconds.
        newer = [name for name in names if int(_written(settings, name)) > started]
        if newer:
            said.append(f"{', '.join(newer)} will count once you systemctl restart {unit}")
    return said


def _written(settings: Settings, name: str) -> float:
    try:
        return (settings.pki / name).stat().st_mtime
    except FileNotFoundError:
        return 0
