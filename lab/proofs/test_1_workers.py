"""Proof 1: workers join by themselves, and pods on them are reached: by name, from each other, from
the API and by people."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from ipaddress import IPv4Address

import pytest

from lab.proofs.example_application import NAME, POD_PORT, PORT, Application, application
from lab.proofs.figures import Figures
from lab.proofs.joined_workers import Worker, condition, machines, read
from lab.proofs.kubernetes_api import api, namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.pods import Pod, execute, pods
from lab.proofs.polling import until, until_none
from lab.proofs.stack_settings import settings
from lab.proofs.tls import Server
from lab.proofs.webhook import CHOICE, LABEL, webhook
from lab.workspace import Workspace
from node.contract import KUBELET_PORT, POOL_LABEL

NAMESPACE, HOOKS = "proof-workers", "proof-webhook"
CONNECT = ("/agnhost", "connect", "--timeout=5s")
"""In a pod: ends well when a connection comes about, and says why not otherwise."""
SOON = 120.0
"""Seconds in which what is declared comes true where no machine has to boot."""


@pytest.fixture(scope="module")
def web(session: LabSession, workers: list[Worker]) -> Iterator[Application]:
    """The example application."""
    with application(session, NAMESPACE) as running:
        yield running


def test_every_worker_joins_as_the_instance_that_it_is(
    session: LabSession, workers: list[Worker], figures: Figures, workspace: Workspace
) -> None:
    version = settings(workspace).kubernetes_version
    assert {worker.machine.name for worker in workers} == {one.name for one in machines(session)}
    region = session.lab.aws("ec2").meta.region_name
    taken = []
    for worker in workers:
        instance, node = worker.machine.instance, worker.document
        zone = instance.subnet.zone
        dashed = str(instance.address).replace(".", "-")
        assert worker.name == f"ip-{dashed}.{region}.compute.internal"
        assert node["spec"]["providerID"] == f"aws:///{zone}/{instance.id}"
        labels = node["metadata"]["labels"]
        assert labels["topology.kubernetes.io/zone"] == zone
        assert labels["node.kubernetes.io/instance-type"] == instance.type
        assert labels[POOL_LABEL] == instance.pool
        assert node["status"]["nodeInfo"]["kubeletVersion"] == f"v{version}"
        internal = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
        assert internal == [str(instance.address)]
        ready = datetime.fromisoformat(condition(node, "Ready")["lastTransitionTime"])
        taken.append(ready.timestamp() - _booted(session, worker))
    figures.add("workers", "worker machine, systemd to its node ready, slowest", max(taken))


def _booted(session: LabSession, worker: Worker) -> float:
    """Unix time at which a machine's systemd began."""
    words = ("systemctl", "show", "--timestamp=unix", "--property=UserspaceTimestamp", "--value")
    return float(session.within(worker.machine, *words).strip().removeprefix("@"))


def test_every_kubelet_shows_a_certificate_for_its_name(
    session: LabSession, workers: list[Worker]
) -> None:
    """Of the cluster's authority; whoever shows none is not answered."""
    place, ca = session.namespace(session.nodes("api")[0]), api(session.kubectl).server.ca
    for worker in workers:
        address = str(worker.machine.instance.address)
        kubelet = Server(place, address, KUBELET_PORT, worker.name, ca)
        assert kubelet.ask("/healthz").status == 401, worker.name


def test_dns_runs_on_different_workers(session: LabSession, workers: list[Worker]) -> None:
    """So that the loss of one leaves a server of names. A budget keeps whoever drains from taking
    both."""

    def lacking() -> list[str]:
        found = [
            one for one in pods(session, "kube-system", "k8s-app=kube-dns") or [] if one.serves
        ]
        where = {one.node for one in found}
        wanted = min(2, len(workers))
        return [] if len(where) >= wanted else [f"{len(found)} serve, on {sorted(where)}"]

    until_none("DNS runs on different workers", lacking, SOON)
    budgets = read(session, "/apis/policy/v1/namespaces/kube-system/poddisruptionbudgets")
    assert budgets is not None
    covered = [one["spec"]["selector"].get("matchLabels", {}) for one in budgets["items"]]
    assert {"k8s-app": "kube-dns"} in covered


def test_replicas_are_on_different_workers_with_addresses_of_their_own_interfaces(
    session: LabSession, workers: list[Worker], web: Application, workspace: Workspace
) -> None:
    serving = [pod for pod in web.pods() if pod.serves]
    on = [pod.node for pod in serving]
    assert len(set(on)) == min(web.replicas, len(workers))
    assert max(map(on.count, on)) - min(map(on.count, set(on))) <= 1
    if settings(workspace).network.pod_network != "vpc":
        pytest.skip("pods have no addresses of the VPC in this stack")
    by_name = {worker.name: worker.machine.instance.prefixes for worker in workers}
    for pod in serving:
        assert any(IPv4Address(pod.address) in prefix for prefix in by_name[pod.node]), pod


def _one_on_each(web: Application) -> list[Pod]:
    """A replica on each worker that has one."""
    return [*{pod.node: pod for pod in web.pods() if pod.serves}.values()]


def test_pods_reach_services_by_name_and_each_other(session: LabSession, web: Application) -> None:
    """From every worker: Services, in its own namespace and in another one, an API of AWS, and pods
    on other workers by their addresses. Each kube-proxy hears of ready pods in its own time, and
    refuses connections to a Service until then."""
    until_none("every worker reaches them", lambda: _not_reached(session, _one_on_each(web)), SOON)


def _not_reached(session: LabSession, chosen: list[Pod]) -> list[str]:
    """What pods do not reach, a phrase each."""
    region = session.lab.aws("ec2").meta.region_name
    wrong = []
    for pod in chosen:
        endpoints = [
            f"{NAME}:{PORT}",
            f"{NAME}.{NAMESPACE}.svc.cluster.local:{PORT}",
            "kubernetes.default:443",
            f"ssm.{region}.amazonaws.com:443",
            *(f"{other.address}:{POD_PORT}" for other in chosen if other != pod),
        ]
        for endpoint in endpoints:
            done = execute(session, NAMESPACE, pod.name, *CONNECT, endpoint)
            if done.returncode:
                wrong.append(f"{pod.name} on {pod.node} to {endpoint}: {done.stderr.strip()}")
    return wrong


def test_api_servers_reach_pods_and_people_read_their_logs(
    session: LabSession, web: Application
) -> None:
    """The API passes a request on to the pod's own address; the log has it then."""
    for pod in _one_on_each(web):
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod.name}:{POD_PORT}/proxy/hostname"
        assert session.kubectl.output("get", "--raw", path) == pod.name
        until(f"{pod.name} logs the request", partial(_logged, session, pod), SOON)


def _logged(session: LabSession, pod: Pod) -> bool:
    """Whether a pod's log has the request; containerd writes it after the pod has answered."""
    log = session.kubectl.output("logs", "--namespace", NAMESPACE, pod.name)
    return "GET /hostname" in log


def test_the_api_asks_a_webhook_that_runs_in_a_pod(session: LabSession, web: Application) -> None:
    """With `failurePolicy: Fail`, so an API server that cannot reach it refuses the write."""
    deployment = read(session, f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}")
    assert deployment is not None
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    with namespace(session.kubectl, HOOKS), webhook(session, HOOKS, image):
        until_none("every API server asks the webhook", lambda: _not_asked(session), SOON)


def _not_asked(session: LabSession) -> list[str]:
    """Writes that were refused, or that the webhook did not change. Each connection goes to another
    API server, and each of them learns of a webhook in its own time."""
    through, wrong = api(session.kubectl), []
    metadata = {"generateName": "asked-", "labels": {CHOICE: "yes"}}
    for _ in range(3 * len(session.nodes("api"))):
        answer = through.ask(
            f"/api/v1/namespaces/{HOOKS}/configmaps",
            method="POST",
            document={"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata},
        )
        if answer.status != 201:
            wrong.append(answer.body)
        elif json.loads(answer.body)["metadata"]["labels"].get(LABEL) != "yes":
            wrong.append("a write was not changed")
    return sorted(set(wrong))
