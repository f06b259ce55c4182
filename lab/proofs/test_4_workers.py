"""Proof 4: what a worker, a kubelet, a pod and a stolen token cannot do."""

import base64
import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from components.naming import ParameterPaths
from components.userdata.controllers import CERTIFICATE_LIFE
from lab.machines.account import user_data
from lab.proofs.example_application import Application, application
from lab.proofs.expected_reachability import PORTS
from lab.proofs.joined_workers import Worker, items
from lab.proofs.kubelet_certificate_requests import (
    ANY_CLIENT,
    PATH,
    SERVING,
    CertificateRequest,
    Requester,
    Verdict,
    verdict,
)
from lab.proofs.kubernetes_api import api
from lab.proofs.lab_session import LabSession
from lab.proofs.pods import Pod, within_network
from lab.proofs.polling import until, until_none
from lab.proofs.tls import Identity
from lab.running.node_names import Node
from node.contract import BOOTSTRAP_GROUP, KUBELET_CERTIFICATE

NAMESPACE = "proof-security"
DENIED = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}
SOON = 60.0
"""Seconds in which the control plane decides about a request."""
NEVER = 15.0
"""Seconds after which what nobody approves has not been issued: approvals take five at most."""
TOKEN_LIFE = timedelta(hours=2, minutes=1)

_ROLE = """\
import json, sys
import boto3
from botocore.exceptions import ClientError

me = json.load(open("/etc/ha-kubernetes/node.json"))
control, nodes = json.loads(sys.argv[1]), json.loads(sys.argv[2])
cluster, bucket = me["cluster"], me["agent"]["bucket"]
make = lambda service: boto3.client(service, region_name=me["region"])
ssm, s3, ec2 = make("ssm"), make("s3"), make("ec2")
groups, cloudwatch = make("autoscaling"), make("cloudwatch")


def code(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"


def read(name):
    return code(ssm.get_parameter, Name=name, WithDecryption=True)


def write(name):
    return code(ssm.put_parameter, Name=name, Value="{}", Type="String", Overwrite=True)


own = me["parameters"].values()
print(json.dumps({
    "own": {name: read(name) for name in own},
    "refused": {
        **{f"write {name}": write(name) for name in own},
        **{f"read {name}": read(name) for name in control},
        **{f"write {name}": write(name) for name in control},
        **{f"files of {name}": code(
            ssm.get_parameters_by_path, Path=f"/{cluster}/nodes/{name}/files", WithDecryption=True
        ) for name in nodes},
        **{f"key of {name}": read(f"/{cluster}/nodes/{name}/files/ca.key") for name in nodes},
        **{f"status of {name}": read(f"/{cluster}/nodes/{name}/status") for name in nodes},
        "all parameters": code(ssm.get_parameters_by_path, Path=f"/{cluster}", Recursive=True),
        "a snapshot": code(s3.get_object, Bucket=bucket, Key="snapshots/none"),
        "write a snapshot": code(s3.put_object, Bucket=bucket, Key="snapshots/x", Body=b""),
        "list the bucket": code(s3.list_objects_v2, Bucket=bucket),
        "write the agent": code(s3.put_object, Bucket=bucket, Key=me["agent"]["key"], Body=b""),
        "instances": code(ec2.describe_instances),
        "end of another group's instance": code(
            groups.complete_lifecycle_action,
            LifecycleHookName="drain",
            AutoScalingGroupName="another",
            InstanceId="i-00000000000000000",
            LifecycleActionResult="CONTINUE",
        ),
        "a metric": code(
            cloudwatch.put_metric_data,
            Namespace=f"ha-kubernetes/{cluster}",
            MetricData=[{"MetricName": "MissingMembers", "Value": 0}],
        ),
    },
}))
"""

_METADATA = """\
import json, urllib.error, urllib.request

BASE = "http://169.254.169.254/latest/"


def ask(path, method="GET", **headers):
    request = urllib.request.Request(BASE + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


print(json.dumps({
    "token": ask("api/token", "PUT", **{"X-aws-ec2-metadata-token-ttl-seconds": "60"}),
    "without": [ask(path) for path in ("user-data", "meta-data/iam/security-credentials/")],
}))
"""

_PORTS = """\
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor


def answers(endpoint):
    try:
        socket.create_connection(endpoint, timeout=5).close()
    except ConnectionRefusedError:
        pass
    except OSError:
        return False
    return True


endpoints = [tuple(one) for one in json.loads(sys.argv[1])]
with ThreadPoolExecutor(len(endpoints)) as pool:
    opened = list(pool.map(answers, endpoints))
print(json.dumps([one for one, is_open in zip(endpoints, opened) if is_open]))
"""


@pytest.fixture(scope="module")
def web(session: LabSession, workers: list[Worker]) -> Iterator[Application]:
    """The example application."""
    with application(session, NAMESPACE) as running:
        yield running


@pytest.fixture(scope="module")
def kubelets(session: LabSession, workers: list[Worker]) -> list[Requester]:
    """Who holds each worker's own certificate, on that worker."""
    if len(workers) < 2:
        pytest.skip(f"the stack has {len(workers)} workers, and this takes two")
    server = api(session.kubectl).server
    found = []
    for worker in workers:
        pem = session.within(worker.machine, "cat", KUBELET_CERTIFICATE)
        place = replace(server, namespace=session.namespace(worker.machine))
        found.append(Requester(place, Identity(pem, "")))
    return found


@pytest.fixture(scope="module")
def token(session: LabSession, workers: list[Worker]) -> str:
    """The token that workers join with, as somebody who stole it has it."""
    path = ParameterPaths(str(session.lab.cluster)).join_token
    found = session.lab.aws("ssm").get_parameter(Name=path, WithDecryption=True)
    return str(json.loads(found["Parameter"]["Value"])["token"])


def _control_plane(session: LabSession) -> list[Node]:
    return [*session.nodes("etcd"), *session.nodes("api")]


def test_a_workers_role_reads_and_writes_nothing_of_the_control_plane(
    session: LabSession, workers: list[Worker]
) -> None:
    paths = ParameterPaths(str(session.lab.cluster))
    control = [
        paths.desired_members,
        paths.formation,
        paths.cluster_addons,
        paths.recorded("cluster"),
    ]
    names = [node.name for node in _control_plane(session)]
    asked = [json.dumps(control), json.dumps(names)]
    for worker in workers:
        found = json.loads(session.within(worker.machine, "python3", "-I", "-c", _ROLE, *asked))
        assert set(found["own"].values()) == {"allowed"}
        wrong = {what: code for what, code in found["refused"].items() if code not in DENIED}
        assert wrong == {}, worker.name


def test_a_kubelet_reads_the_secrets_of_its_own_pods_alone(
    session: LabSession, web: Application, kubelets: list[Requester], workers: list[Worker]
) -> None:
    mine, other = kubelets[0], kubelets[1]
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets"
    for name in ("used", "unused"):
        arguments = ("create", "secret", "generic", name, "--from-literal=word=w")
        session.kubectl.output(*arguments, "--namespace", NAMESPACE)
    user = _user_of_secret(workers[0].name)
    session.kubectl.output("create", "--filename=-", stdin=json.dumps(user))
    until("its kubelet reads it", lambda: mine.ask(f"{path}/used").status == 200, SOON)
    assert other.ask(f"{path}/used").status == 403
    for kubelet in (mine, other):
        assert kubelet.ask(f"{path}/unused").status == 403
        assert kubelet.ask(path).status == 403
        assert kubelet.ask("/api/v1/secrets").status == 403
        assert kubelet.ask("/api/v1/namespaces/kube-system/secrets").status == 403


def _user_of_secret(node: str) -> dict[str, object]:
    """A pod on a node that wants the secret `used`. Its image is none: it need not run."""
    reference = {"secretRef": {"name": "used"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "user", "namespace": NAMESPACE},
        "spec": {
            "nodeName": node,
            "automountServiceAccountToken": False,
            "containers": [
                {"name": "user", "image": "registry.invalid/none:1", "envFrom": [reference]}
            ],
        },
    }


def test_a_kubelet_changes_no_other_node_and_no_label_that_places_pods(
    web: Application, kubelets: list[Requester], workers: list[Worker]
) -> None:
    mine, other = kubelets[0], kubelets[1]
    own = f"/api/v1/nodes/{workers[0].name}"
    cordon = {"spec": {"unschedulable": True}}
    assert other.ask(own, method="PATCH", document=cordon).status == 403
    assert other.ask(own, method="DELETE").status == 403
    label = {"metadata": {"labels": {"node-restriction.kubernetes.io/trusted": "yes"}}}
    assert mine.ask(own, method="PATCH", document=label).status == 403
    (pod, *_) = [pod for pod in web.pods() if pod.node == workers[0].name]
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod.name}"
    assert other.ask(path, method="DELETE").status == 403


def test_a_stolen_token_reads_nothing_and_poses_as_nobody(
    session: LabSession, workers: list[Worker], token: str
) -> None:
    """Not as a worker that is there, nor as a machine of the control plane, nor as an
    administrator."""
    place = replace(api(session.kubectl).server, namespace=session.namespace(workers[0].machine))
    thief = Requester(place, token=token)
    for path in (
        "/api/v1/nodes",
        "/api/v1/secrets",
        "/api/v1/pods",
        "/api/v1/namespaces/kube-system/configmaps",
        "/api/v1/namespaces/kube-system/secrets",
    ):
        assert thief.ask(path).status == 403, path
    node, organization = workers[0].name, "system:masters"
    api_machine = session.nodes("api")[0].instance.address
    dashed = str(api_machine).replace(".", "-")
    region = session.lab.aws("ec2").meta.region_name
    denied = {
        "a worker that is there": CertificateRequest(f"system:node:{node}"),
        "an administrator": CertificateRequest(f"system:node:{node}", organization),
        "a person": CertificateRequest("somebody"),
    }
    unheard = {
        "an API server": CertificateRequest(f"system:node:ip-{dashed}.{region}.compute.internal"),
        "nobody": CertificateRequest("system:node:ip-192-0-2-1.compute.internal"),
        "a client": CertificateRequest("somebody", None, ANY_CLIENT),
    }
    # The API server itself refuses this one.
    assert thief.request(CertificateRequest("somebody", organization, ANY_CLIENT)) is None
    _nothing_issued(session, thief, denied, unheard)


def test_a_kubelet_gets_no_certificate_for_another_one(
    session: LabSession, kubelets: list[Requester], workers: list[Worker]
) -> None:
    """Neither to serve under its name or address, nor to pose as it."""
    me, other = workers[0], workers[1]
    own, address = f"system:node:{me.name}", str(other.machine.instance.address)
    denied = {
        "its name": CertificateRequest(
            own, signer=SERVING, dns_names=[other.name], addresses=[address]
        ),
        "a further name": CertificateRequest(
            own,
            signer=SERVING,
            dns_names=[me.name, "kubernetes.default.svc"],
            addresses=[str(me.machine.instance.address)],
        ),
    }
    unheard = {"its identity": CertificateRequest(f"system:node:{other.name}")}
    _nothing_issued(session, kubelets[0], denied, unheard)


def test_a_kubelets_next_certificate_is_good_for_days(
    session: LabSession, kubelets: list[Requester], workers: list[Worker]
) -> None:
    name = kubelets[0].request(CertificateRequest(f"system:node:{workers[0].name}"))
    assert name
    try:
        until("it is issued", lambda: verdict(session, name).issued, SOON)
        assert timedelta(days=1) < verdict(session, name).life <= CERTIFICATE_LIFE
    finally:
        api(session.kubectl).ask(f"{PATH}/{name}", method="DELETE")


def _nothing_issued(
    session: LabSession,
    requester: Requester,
    denied: dict[str, CertificateRequest],
    unheard: dict[str, CertificateRequest],
) -> None:
    """Of all these no certificate comes about: the first ones are denied, with a reason, and the
    others are not even taken, or nobody approves them."""
    asked = {what: requester.request(request) for what, request in {**denied, **unheard}.items()}
    names = {what: name for what, name in asked.items() if name}

    def verdicts() -> dict[str, Verdict]:
        return {what: verdict(session, name) for what, name in names.items()}

    try:
        assert set(denied) <= set(names)
        until_none(
            "they are denied",
            lambda: [what for what, one in verdicts().items() if what in denied and not one.denied],
            SOON,
        )
        time.sleep(NEVER)
        assert [what for what, one in verdicts().items() if one.issued] == []
    finally:
        for name in names.values():
            api(session.kubectl).ask(f"{PATH}/{name}", method="DELETE")


def test_the_join_token_is_short_lived_and_in_no_user_data(
    session: LabSession, workers: list[Worker], token: str
) -> None:
    secrets = items(
        session,
        "/api/v1/namespaces/kube-system/secrets?fieldSelector=type=bootstrap.kubernetes.io/token",
    )
    assert secrets
    now = datetime.now(UTC)
    for secret in secrets:
        data = {key: base64.b64decode(text).decode() for key, text in secret["data"].items()}
        assert datetime.fromisoformat(data["expiration"]) < now + TOKEN_LIFE
        assert data["auth-extra-groups"] == BOOTSTRAP_GROUP
        assert "usage-bootstrap-signing" not in data
    for worker in workers:
        given = user_data(session.lab.aws, worker.machine.instance.id)
        text = gzip.decompress(given) if given[:2] == b"\x1f\x8b" else given
        assert b"kubelet" in text
        assert token.encode() not in text
        assert token.partition(".")[2].encode() not in text


def test_a_pod_gets_nothing_from_the_metadata_service(
    session: LabSession, web: Application, workers: list[Worker]
) -> None:
    """The answer with a token does not travel as far as a pod, and without one there is nothing."""
    for pod in _one_on_each(web):
        text = within_network(
            session, _machine(workers, pod), pod.address, "python3", "-I", "-c", _METADATA
        )
        found = json.loads(text)
        assert found["token"] is None, pod
        assert set(found["without"]) <= {None, 401}, pod


def test_a_pod_reaches_the_api_and_no_other_port_of_the_control_plane(
    session: LabSession, web: Application, workers: list[Worker]
) -> None:
    endpoints = [
        (str(node.instance.address), port)
        for node in _control_plane(session)
        for port in sorted(PORTS)
    ]
    wanted = {(str(node.instance.address), 6443) for node in session.nodes("api")}
    for pod in _one_on_each(web):
        program = ("python3", "-I", "-c", _PORTS, json.dumps(endpoints))
        text = within_network(session, _machine(workers, pod), pod.address, *program)
        assert {tuple(one) for one in json.loads(text)} == wanted, pod


def _one_on_each(web: Application) -> list[Pod]:
    """A replica on each worker that has one."""
    return [*{pod.node: pod for pod in web.pods() if pod.serves}.values()]


def _machine(workers: list[Worker], pod: Pod) -> Node:
    return next(worker.machine for worker in workers if worker.name == pod.node)
