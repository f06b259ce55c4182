"""`prepare` of a worker: bring onto this machine everything that its daemons need to start."""

from node import download, files, operations
from node.contract import CNI_CONFIG, NODE_ENV
from node.errors import NodeError
from node.machine import Machine
from node.prepare import or_use_local
from node.settings import Settings, WorkerSettings, at
from node.worker import identity, join_token, pod_network, trust


def run(settings: Settings, _machine: Machine) -> str:
    """Do it; what was done. NodeError when something needed is neither here nor to be had.

    A join token is not needed to start: kubelet tries until `reconcile` brings one, since the
    control plane may be younger than its workers.
    """
    worker = settings.worker
    if worker is None:
        raise NodeError(f"{settings.name} is no worker: run this on one")
    done = [
        *or_use_local(lambda: trust.fetch(settings), lambda: trust.lacking(settings)),
        *or_use_local(identity.write, lambda: [] if identity.known() else [f"no {NODE_ENV}"]),
        *_network(worker),
    ]
    for artifact in settings.artifacts:
        # Asked only when there is something to download: a reboot needs no AWS.
        done += download.install(artifact, lambda url: operations.current(settings).source(url))
    done += join_token.follow(settings, worker.api)
    return "; ".join(done) or "everything was in place"


def _network(worker: WorkerSettings) -> list[str]:
    """The pods' network; none where people bring their own."""
    if worker.pod_network == "none":
        return []
    return or_use_local(
        pod_network.write, lambda: [] if files.read(at(CNI_CONFIG)) else [f"no {CNI_CONFIG}"]
    )
