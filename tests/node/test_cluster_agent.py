"""The cluster agent's rounds: who acts, and that one trouble stops nothing else. AWS is moto."""

import json
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from node import cli, metrics
from node.cluster import agent as agent_module
from node.cluster import bootstrap_token
from node.cluster.agent import (
    DOCUMENT_INTERVAL,
    INTERVAL,
    METRICS_INTERVAL,
    NODES_INTERVAL,
    PARAMETER_INTERVAL,
    READY_INTERVAL,
    RETRY,
    Agent,
)
from node.cluster.local_api import ApiError
from node.cluster.scaling_groups import ScalingGroup
from node.cluster.worker_instances import Ec2
from node.contract import CLUSTER_TAG, NODE_ENV, POOL_LABEL, POOL_TAG
from node.errors import AwsError, NodeError
from node.settings import at
from tests.node.certificate_requests import client_object, kubelet_subject, pem, renewal_object
from tests.node.conftest import REGION

PARAMETERS = {"joinToken": "/test/workers/join-token", "cluster": "/test/cluster"}
MINE, OTHER = "api-0-10-0-0-4_abc", "api-1-10-0-0-5_def"


@pytest.fixture
def key(aws):
    return boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def wanted(aws, key):
    """What the stack wants."""
    document = {
        "clusterDns": "10.96.0.10",
        "clusterDomain": "cluster.local",
        "images": {"coredns": "registry.example/coredns:v1"},
        "key": key,
    }

    def write(**changes):
        aws.put_parameter(
            Name=PARAMETERS["cluster"],
            Value=json.dumps({**document, **changes}),
            Type="String",
            Overwrite=True,
        )

    write()
    return write


@pytest.fixture
def settings(node, root):
    given = node("api-0", parameters=PARAMETERS)
    path = at(NODE_ENV)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("NODE_ADDRESS=10.0.0.4\n")
    return given


class FakeApi:
    """A cluster in a dictionary, as far as the agent looks at it."""

    def __init__(self):
        self.holder, self.down, self.refused = MINE, False, ""
        self.nodes, self.requests, self.secrets, self.applied = {}, {}, [], {}
        self.broken = set()
        self.unwritable = set()
        """Objects whose write fails: `Deployment coredns`, or a Node's name."""

    def get(self, path, **_query):
        if self.down:
            raise NodeError("127.0.0.1:6443 did not answer")
        if path == self.refused:
            raise ApiError(500, "etcd")
        if path.endswith("/kube-controller-manager"):
            return {"spec": {"holderIdentity": self.holder}}
        if path == bootstrap_token.SECRETS:
            return {"items": self.secrets}
        if path.endswith("/nodes"):
            return {"items": list(self.nodes.values())}
        if path.endswith("/certificatesigningrequests"):
            return {"items": list(self.requests.values())}
        return {"items": []}

    def find(self, path):
        kind, _, name = path.rpartition("/")
        name = unquote(name)
        if name in self.broken:
            raise ApiError(400, "no such path")
        return (self.nodes if kind.endswith("/nodes") else self.requests).get(name)

    def create(self, path, manifest):
        assert path == bootstrap_token.SECRETS
        self.secrets.append(manifest)

    def replace(self, path, changed):
        assert path.endswith(f"/{quote(changed['metadata']['name'], safe=':')}/approval")
        self.requests[changed["metadata"]["name"]] = changed

    def apply(self, manifest, *, force=False):
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        if name in self.unwritable:
            raise ApiError(500, "etcd")
        self.applied[name] = manifest

    def delete(self, path, uid):
        name = path.rpartition("/")[2]
        if name in self.unwritable:
            raise ApiError(500, "etcd")
        assert self.nodes[name]["metadata"]["uid"] == uid
        del self.nodes[name]


@pytest.fixture
def api(monkeypatch):
    api = FakeApi()
    monkeypatch.setattr(agent_module, "Api", lambda pki: api)
    return api


@pytest.fixture
def ec2(aws):
    return boto3.client("ec2", region_name=REGION)


@pytest.fixture
def launch(ec2):
    """Launch a worker; what EC2 says of it."""

    def launch(tags=None):
        tags = {CLUSTER_TAG: "test", POOL_TAG: "general"} if tags is None else tags
        specification = [
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ]
        answer = ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=specification if tags else [],
        )
        return answer["Instances"][0]

    return launch


@pytest.fixture
def agent(settings, api, wanted):
    return Agent(settings, Ec2(REGION, "test"))


def stored(aws):
    answer = aws.get_parameter(Name=PARAMETERS["joinToken"], WithDecryption=True)
    return answer["Parameter"]


def test_only_where_the_controllers_lead_something_is_done(agent, api):
    api.holder = OTHER
    assert agent.round(0) == []
    assert (api.secrets, api.applied) == ([], {})
    api.holder = MINE
    assert agent.round(INTERVAL)[0] == "kube-controller-manager leads on this machine: acting"
    assert api.applied
    api.holder = OTHER
    assert agent.round(2 * INTERVAL) == [
        "kube-controller-manager leads on another machine: standing by"
    ]


def test_an_api_server_that_is_away_is_waited_for_and_said_once(agent, api):
    api.down = True
    assert agent.round(0) == ["leadership: 127.0.0.1:6443 did not answer"]
    assert agent.round(5) == []
    api.down = False
    assert agent.round(10)[0] == "leadership: works again"


def test_the_token_is_made_stored_and_never_printed(agent, api, aws, key):
    said = agent.round(0)
    token = bootstrap_token.newest(api.secrets)
    assert json.loads(stored(aws)["Value"]) == token.document
    assert stored(aws)["Type"] == "SecureString"
    described = aws.describe_parameters()["Parameters"]
    assert [one["KeyId"] for one in described if one["Name"] == PARAMETERS["joinToken"]] == [key]
    assert any(token.id in line for line in said)
    assert not any(token.secret in line for line in said)
    agent.round(1000)
    assert len(api.secrets) == 1
    assert stored(aws)["Version"] == 1


def test_the_parameter_that_pulumi_made_is_written_over(agent, api, aws, key):
    aws.put_parameter(Name=PARAMETERS["joinToken"], Value="{}", Type="SecureString", KeyId=key)
    agent.round(0)
    assert json.loads(stored(aws)["Value"]) == bootstrap_token.newest(api.secrets).document


def test_a_token_that_is_half_over_is_followed_by_another(agent, api, aws):
    old = bootstrap_token.new(datetime.now(UTC) - timedelta(hours=1, seconds=1))
    api.secrets.append(old.manifest)
    agent.round(0)
    token = bootstrap_token.newest(api.secrets)
    assert token != old
    # The old one stays: a worker may just have read it.
    assert len(api.secrets) == 2
    assert json.loads(stored(aws)["Value"]) == token.document


def test_a_leader_goes_on_with_the_token_that_it_finds(agent, api, aws):
    there = bootstrap_token.new(datetime.now(UTC))
    api.secrets.append(there.manifest)
    agent.round(0)
    assert api.secrets == [there.manifest]
    assert json.loads(stored(aws)["Value"]) == there.document


def test_a_parameter_that_somebody_overwrote_is_put_right(agent, api, aws):
    agent.round(0)
    right = stored(aws)["Value"]
    aws.put_parameter(Name=PARAMETERS["joinToken"], Value="{}", Type="SecureString", Overwrite=True)
    agent.round(PARAMETER_INTERVAL - 1)
    assert stored(aws)["Value"] == "{}"
    agent.round(PARAMETER_INTERVAL + 60)
    assert stored(aws)["Value"] == right


def test_a_worker_joins(agent, api, launch):
    instance = launch()
    name = instance["PrivateDnsName"]
    agent.round(0)
    api.requests["node-csr-1"] = {
        **client_object(pem(kubelet_subject(name))),
        "metadata": {
            "name": "node-csr-1",
            "creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }
    (line,) = agent.round(INTERVAL)
    assert line.startswith(f"approved node-csr-1 of {name} for ")
    (condition,) = api.requests["node-csr-1"]["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Approved", "True")
    assert instance["InstanceId"] in condition["message"]
    assert agent.round(2 * INTERVAL) == []


def asks(api, key, name, seconds=0.0):
    """Somebody with the token asks for a certificate, with a new key."""
    request = client_object(pem(kubelet_subject(name), key=ec.generate_private_key(ec.SECP256R1())))
    made = datetime.now(UTC) + timedelta(seconds=seconds)
    created = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    api.requests[key] = {**request, "metadata": {"name": key, "creationTimestamp": created}}


def verdict(api, key):
    conditions = api.requests[key].get("status", {}).get("conditions", [])
    return conditions[0]["type"] if conditions else ""


def test_of_two_who_ask_for_a_name_at_once_neither_gets_it_and_the_worker_asks_again(
    agent, api, launch
):
    name = launch()["PrivateDnsName"]
    agent.round(0)
    asks(api, "csr-a", name)
    asks(api, "csr-b", name)
    said = agent.round(INTERVAL)
    assert [verdict(api, one) for one in ("csr-a", "csr-b")] == ["Denied", "Denied"]
    assert all("look who holds the join token" in line for line in said)
    # What was denied does not count.
    asks(api, "csr-c", name)
    agent.round(2 * INTERVAL)
    assert verdict(api, "csr-c") == "Approved"
    asks(api, "csr-d", name)
    agent.round(3 * INTERVAL)
    assert verdict(api, "csr-d") == "Denied"


def test_a_worker_joins_with_the_name_of_one_that_joined_within_the_hour(agent, api, launch):
    name = launch()["PrivateDnsName"]
    agent.round(0)
    asks(api, "csr-a", name, -3000)
    api.requests["csr-a"]["status"] = {"conditions": [{"type": "Approved"}]}
    asks(api, "csr-b", name)
    agent.round(INTERVAL)
    assert verdict(api, "csr-b") == "Approved"


def test_one_request_in_trouble_stops_no_other_and_is_said_once(agent, api, launch):
    first, second = (launch()["PrivateDnsName"] for _ in range(2))
    agent.round(0)
    asks(api, "bad name\n", first)
    asks(api, "broken", "*")
    asks(api, "csr-b", second)
    api.broken.add("broken")
    said = agent.round(INTERVAL)
    assert "could not decide about broken: the API server answered 400: no such path" in said
    assert any(line.startswith("approved bad%20name%0A of ") for line in said)
    assert (verdict(api, "bad name\n"), verdict(api, "csr-b")) == ("Approved", "Approved")
    assert agent.round(2 * INTERVAL) == []
    api.broken.clear()
    agent.round(3 * INTERVAL)
    assert verdict(api, "broken") == "Denied"


@pytest.mark.parametrize(
    "tags", [{}, {CLUSTER_TAG: "test"}, {CLUSTER_TAG: "other", POOL_TAG: "general"}]
)
def test_no_other_instance_joins(agent, api, launch, tags):
    """Of another cluster, or of the control plane."""
    name = launch(tags)["PrivateDnsName"]
    made = datetime.now(UTC) - timedelta(seconds=1)
    request = client_object(pem(kubelet_subject(name)))
    request["metadata"]["creationTimestamp"] = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    api.requests["node-csr-1"] = request
    assert any(line.startswith("waiting node-csr-1") for line in agent.round(0))
    # Once is enough to read it.
    assert agent.round(INTERVAL) == []
    made -= timedelta(hours=1)
    request["metadata"]["creationTimestamp"] = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert agent.round(2 * INTERVAL)[0].startswith("denied node-csr-1")
    (condition,) = api.requests["node-csr-1"]["status"]["conditions"]
    assert condition["type"] == "Denied"


def worker_node(instance, status="Unknown"):
    zone = instance["Placement"]["AvailabilityZone"]
    return {
        "metadata": {
            "name": instance["PrivateDnsName"],
            "creationTimestamp": "2026-11-01T00:00:00Z",
            "uid": "1",
            "labels": {POOL_LABEL: "general"},
        },
        "spec": {"providerID": f"aws:///{zone}/{instance['InstanceId']}"},
        "status": {"conditions": [{"type": "Ready", "status": status}]},
    }


def test_the_node_of_a_terminated_instance_is_deleted_the_second_time(agent, api, launch, ec2):
    instance = launch()
    name = instance["PrivateDnsName"]
    api.nodes[name] = worker_node(instance)
    agent.round(0)
    agent.round(NODES_INTERVAL)
    assert name in api.nodes
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    agent.round(2 * NODES_INTERVAL)
    assert name in api.nodes
    assert agent.round(3 * NODES_INTERVAL) == [
        f"deleted Node {name}: {instance['InstanceId']} is gone"
    ]
    assert api.nodes == {}


def test_the_node_of_a_terminated_instance_that_is_ready_is_deleted_a_minute_later(
    agent, api, launch, ec2
):
    """By when a machine that only just ended is not ready any more."""
    instance = launch()
    name = instance["PrivateDnsName"]
    api.nodes[name] = worker_node(instance, "True")
    api.nodes["own"] = {"metadata": {"name": "own"}, "spec": {}}
    agent.round(0)
    agent.round(READY_INTERVAL)
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    agent.round(2 * READY_INTERVAL)
    agent.round(3 * READY_INTERVAL - 1)
    assert name in api.nodes
    assert agent.round(3 * READY_INTERVAL) == [
        f"deleted Node {name}: {instance['InstanceId']} is gone, and the Node was ready"
    ]
    assert api.nodes.keys() == {"own"}


def test_a_node_that_is_ready_stays_while_ec2_shows_no_instance_at_all(agent, api, ec2):
    instance = {
        "InstanceId": "i-0123456789abcdef0",
        "PrivateDnsName": "a",
        "Placement": {"AvailabilityZone": f"{REGION}a"},
    }
    api.nodes["a"] = worker_node(instance, "True")
    for number in range(4):
        agent.round(number * READY_INTERVAL)
    assert "a" in api.nodes


@pytest.fixture
def renews(api, launch):
    """A worker that has joined asks for its next certificate; its instance."""

    def renews(key, seconds=1.0):
        instance = launch()
        name = instance["PrivateDnsName"]
        api.nodes[name] = worker_node(instance, "True")
        made = datetime.now(UTC) + timedelta(seconds=seconds)
        api.requests[key] = {
            **renewal_object(pem(kubelet_subject(name)), name),
            "metadata": {"name": key, "creationTimestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ")},
        }
        return instance

    return renews


def test_a_worker_renews_its_certificate(agent, api, renews):
    agent.round(0)
    instance = renews("csr-1")
    (line,) = agent.round(INTERVAL)
    assert line.startswith(f"approved csr-1 of {instance['PrivateDnsName']} for ")
    assert verdict(api, "csr-1") == "Approved"


def test_a_worker_that_has_ended_renews_nothing_and_nobody_who_has_its_name_later(
    agent, api, renews, ec2
):
    agent.round(0)
    instance = renews("csr-1")
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    (line,) = agent.round(INTERVAL)
    assert line.startswith("waiting csr-1 of ")
    # It still waits when another instance has this name, which is younger.
    renews("csr-2", seconds=-60)
    (line,) = agent.round(2 * INTERVAL)
    assert "was launched" in line
    assert (verdict(api, "csr-1"), verdict(api, "csr-2")) == ("", "Denied")


def test_an_instance_that_ec2_does_not_know_is_gone(agent, api, launch, ec2):
    instance = {
        "InstanceId": "i-0123456789abcdef0",
        "PrivateDnsName": "a",
        "Placement": {"AvailabilityZone": f"{REGION}a"},
    }
    api.nodes["a"] = worker_node(instance)
    agent.round(0)
    agent.round(NODES_INTERVAL)
    assert api.nodes == {}


def test_objects_are_applied_and_follow_the_stack(agent, api, wanted):
    agent.round(0)
    assert {"Deployment coredns", "Service kube-dns", "Namespace default"} <= api.applied.keys()
    wanted(images={"coredns": "registry.example/coredns:v2"})
    agent.round(INTERVAL)
    agent.round(DOCUMENT_INTERVAL)
    (container,) = api.applied["Deployment coredns"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/coredns:v2"


def test_an_object_that_fails_stops_no_other_and_none_of_the_defaults(agent, api):
    api.unwritable = {"Deployment coredns"}
    said = agent.round(0)
    assert any(line.startswith("objects: Deployment kube-system/coredns: ") for line in said)
    assert {"Service kube-dns", "Namespace default"} <= api.applied.keys()
    assert agent.round(INTERVAL) == []
    api.unwritable = set()
    assert agent.round(2 * INTERVAL) == ["objects: works again"]
    assert "Deployment coredns" in api.applied


def test_a_node_that_was_deleted_is_told_whatever_fails_after_it(agent, api, launch, ec2):
    # In the order in which their Nodes are deleted.
    ended = sorted((launch() for _ in range(2)), key=lambda one: one["InstanceId"])
    api.nodes = {one["PrivateDnsName"]: worker_node(one) for one in ended}
    first, second = api.nodes
    ec2.terminate_instances(InstanceIds=[one["InstanceId"] for one in ended])
    api.unwritable = {second}
    agent.round(0)
    said = agent.round(NODES_INTERVAL)
    assert [line.partition(":")[0] for line in said] == [f"deleted Node {first}", "nodes"]
    assert list(api.nodes) == [second]


def test_one_task_in_trouble_stops_no_other_and_is_said_once(agent, api, aws):
    api.refused = bootstrap_token.SECRETS
    said = agent.round(0)
    assert "join token: the API server answered 500: etcd" in said
    assert api.applied
    assert agent.round(INTERVAL) == []
    api.refused = ""
    # Not in every round: what does not answer takes the others' time.
    assert agent.round(RETRY - 1) == []
    assert "join token: works again" in agent.round(RETRY)


def test_a_stack_whose_document_is_not_there_yet_gets_its_token_later(settings, api, aws, key):
    agent = Agent(settings, Ec2(REGION, "test"))
    said = agent.round(0)
    assert any(line.startswith("what the stack wants: AWS: ") for line in said)
    assert (api.secrets, api.applied) == ([], {})


def test_without_credentials_it_ends_so_that_systemd_starts_it_again(
    settings, aws, aws_down, monkeypatch, capsys
):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    aws_down()
    assert cli.main(["cluster-agent"]) == 1
    assert "gives no credentials" in capsys.readouterr().err


def test_ec2_that_is_away_is_an_error_of_aws(aws, aws_down, monkeypatch):
    monkeypatch.setattr("node.cluster.worker_instances.ATTEMPTS", 1)
    aws_down()
    with pytest.raises(AwsError):
        Ec2(REGION, "test").states(["i-0123456789abcdef0"])


def test_many_names_are_asked_for_in_several_requests(aws, launch):
    instances = {launch()["PrivateDnsName"] for _ in range(3)}
    names = instances | {f"ip-10-9-{n // 200}-{n % 200}" for n in range(500)}
    found = Ec2(REGION, "test").workers(names)
    assert found.keys() == instances
    assert socket.inet_aton(next(iter(found.values())).address)


@pytest.fixture
def pool(aws, ec2):
    """Workers in a group of the cluster; what EC2 says of them."""
    groups = boto3.client("autoscaling", region_name=REGION)
    groups.create_launch_configuration(
        LaunchConfigurationName="it", ImageId="ami-12345678", InstanceType="t3.medium"
    )
    groups.create_auto_scaling_group(
        AutoScalingGroupName="test-workers-general",
        LaunchConfigurationName="it",
        MinSize=2,
        MaxSize=2,
        AvailabilityZones=[f"{REGION}a"],
        Tags=[
            {"Key": key, "Value": value, "PropagateAtLaunch": True}
            for key, value in {CLUSTER_TAG: "test", POOL_TAG: "general"}.items()
        ],
    )
    found = ec2.describe_instances()["Reservations"]
    return [instance for one in found for instance in one["Instances"]]


@pytest.fixture
def sent(monkeypatch):
    """What CloudWatch is told, one after the other."""
    told = []
    real = metrics.publish

    def publish(settings, values):
        told.append({str(name): value for name, value in values.items()})
        return real(settings, values)

    monkeypatch.setattr(metrics, "publish", publish)
    return told


def refuse(monkeypatch, owner, name):
    def refused(*_arguments):
        raise AwsError("AWS: UnauthorizedOperation")

    monkeypatch.setattr(owner, name, refused)


QUIET = {"UndecidedRequestSeconds": 0, "NotReadyWorkerSeconds": 0, "MissingWorkerSeconds": 0}


def test_cloudwatch_is_told_of_workers_each_half_minute_by_who_leads(agent, api, pool, sent):
    for instance in pool:
        api.nodes[instance["PrivateDnsName"]] = worker_node(instance, "True")
    for now in range(0, 61, 5):
        agent.round(now)
    assert sent == [QUIET] * 3
    api.holder = OTHER
    agent.round(120)
    assert len(sent) == 3
    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    found = cloudwatch.list_metrics(Namespace="ha-kubernetes/test")["Metrics"]
    assert {one["MetricName"] for one in found} == QUIET.keys()
    assert all(one["Dimensions"] == [{"Name": "Cluster", "Value": "test"}] for one in found)


def test_a_request_that_ec2_keeps_from_a_decision_grows_older_until_it_is_decided(
    agent, api, launch, sent, monkeypatch
):
    name = launch()["PrivateDnsName"]
    with monkeypatch.context() as away:
        refuse(away, agent._ec2, "workers")
        asks(api, "csr-a", name, -1200)
        assert "certificate requests: AWS: UnauthorizedOperation" in agent.round(0)
    assert 1200 <= sent[-1]["UndecidedRequestSeconds"] < 1300
    # Once EC2 answers again, in the same round.
    api.requests.clear()
    asks(api, "csr-a", name, 1)
    agent.round(METRICS_INTERVAL)
    assert verdict(api, "csr-a") == "Approved"
    assert sent[-1]["UndecidedRequestSeconds"] == 0


def test_a_worker_that_is_not_ready_is_told_and_one_that_is_drained_is_not(agent, api, pool, sent):
    first, second = ([one["PrivateDnsName"], one] for one in pool)
    api.nodes = {first[0]: worker_node(first[1]), second[0]: worker_node(second[1], "True")}
    since = datetime.now(UTC) - timedelta(seconds=1000)
    (condition,) = api.nodes[first[0]]["status"]["conditions"]
    condition["lastTransitionTime"] = since.isoformat()
    agent.round(0)
    assert 1000 <= sent[-1]["NotReadyWorkerSeconds"] < 1100
    assert sent[-1] == QUIET | {"NotReadyWorkerSeconds": sent[-1]["NotReadyWorkerSeconds"]}
    api.nodes[first[0]]["spec"]["unschedulable"] = True
    agent.round(METRICS_INTERVAL)
    assert sent[-1] == QUIET


def test_a_pool_that_gets_no_machine_is_told_since_when(agent, api, sent, monkeypatch):
    for looks in range(4):
        groups = [ScalingGroup("test-workers-general", 2, frozenset({"i-0123456789abcdef0"}))]
        monkeypatch.setattr(agent._scaling, "groups", lambda _cluster, found=groups: found)
        agent.round(looks * METRICS_INTERVAL)
    assert [one["MissingWorkerSeconds"] for one in sent] == [0, 30, 60, 90]
    # Another machine that takes the lead has not looked yet.
    api.holder = OTHER
    agent.round(4 * METRICS_INTERVAL)
    api.holder = MINE
    agent.round(5 * METRICS_INTERVAL)
    assert sent[-1]["MissingWorkerSeconds"] == 0


def test_what_is_not_known_is_not_told(agent, api, sent, monkeypatch):
    refuse(monkeypatch, agent._scaling, "groups")
    assert "metrics: Auto Scaling groups: AWS: UnauthorizedOperation" in agent.round(0)
    assert sent == [{"UndecidedRequestSeconds": 0}]
    # Nor anything of requests while nobody knows the Nodes, or knows them from long ago alone.
    api.refused = "/api/v1/nodes"
    for now in range(30, 61, 5):
        agent.round(now)
    assert len(sent) == 3
    for now in range(65, 200, 5):
        agent.round(now)
    assert len(sent) == 3
    agent._term = None
    agent.round(200)
    assert len(sent) == 3
    api.refused = ""
    agent.round(230)
    assert len(sent) == 4


def test_without_cloudwatch_requests_are_decided_and_one_line_says_so(
    agent, api, launch, monkeypatch
):
    monkeypatch.setattr(metrics, "publish", lambda *_: "no metrics: AWS: no")
    assert agent.round(0)[-1] == "metrics: no metrics: AWS: no"
    asks(api, "csr-a", launch()["PrivateDnsName"], 1)
    (line,) = agent.round(METRICS_INTERVAL)
    assert line.startswith("approved csr-a of ")
    monkeypatch.setattr(metrics, "publish", lambda *_: "")
    assert agent.round(2 * METRICS_INTERVAL) == ["metrics: works again"]
