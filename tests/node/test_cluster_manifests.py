"""What the cluster agent keeps in Kubernetes: CoreDNS that survives, and roles that are enough."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.workers.cluster_document import cluster_document
from config import check
from node.cluster import addons
from node.cluster.labels import LABELS
from node.cluster.local_api import RESOURCES, kind_of, path_of
from node.cluster.manifests import bindings, cluster_dns, defaults, manifests, spread
from node.cluster.manifests.spread import FEWEST, ZONE, replicas, workers_by_zone
from node.contract import BOOTSTRAP_GROUP
from node.errors import NodeError

SETTINGS = check({"clusterName": "demo", "workers": {"general": {"min": 1}}}, stack="test")
DOCUMENT = cluster_document(SETTINGS, key_arn="arn:aws:kms:eu-central-1:1:key/a")
ADDONS = addons.parse(DOCUMENT)


def node(zone, name="a", *, ready=True, **spec):
    return {
        "metadata": {"name": name, "labels": {ZONE: zone} if zone else {}},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}]},
    }


@pytest.fixture(scope="module")
def by_name():
    return {f"{one['kind']} {one['metadata']['name']}": one for one in manifests(ADDONS, [])}


def test_the_stacks_document_says_what_the_agent_needs():
    assert ADDONS.cluster_dns == "10.96.0.10"
    assert ADDONS.cluster_domain == "cluster.local"
    assert ADDONS.coredns_image == SETTINGS.artifacts.image("coredns")
    assert ADDONS.key == "arn:aws:kms:eu-central-1:1:key/a"


@pytest.mark.parametrize("name", sorted(DOCUMENT))
def test_a_damaged_document_is_an_error_that_says_so(name):
    damaged = {key: value for key, value in DOCUMENT.items() if key != name}
    with pytest.raises(NodeError, match="run pulumi up"):
        addons.parse(damaged)


def test_an_image_of_the_stacks_own_takes_the_place_of_upstreams():
    own = f"registry.example/coredns:v1@sha256:{'a' * 64}"
    given_settings = check(
        {"workers": {"a": {"min": 1}}, "artifacts": {"images": {"coredns": own}}}, stack="test"
    )
    own_addons = addons.parse(cluster_document(given_settings, key_arn="a"))
    (deployment,) = (o for o in manifests(own_addons, []) if o["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == own


def test_every_object_has_a_place_and_a_label(by_name):
    assert len(by_name) == len(manifests(ADDONS, []))
    for one in by_name.values():
        assert kind_of(one) in RESOURCES
        assert path_of(one).startswith("/api")
        assert LABELS.items() <= one["metadata"]["labels"].items()


def test_namespaces_have_no_label_by_which_they_would_be_deleted():
    for one in defaults():
        assert one["kind"] == "Namespace"
        assert not LABELS.items() & one["metadata"]["labels"].items()


def test_where_objects_are():
    paths = {path_of(one) for one in manifests(ADDONS, [])}
    assert "/apis/apps/v1/namespaces/kube-system/deployments/coredns" in paths
    assert "/api/v1/namespaces/kube-system/services/kube-dns" in paths
    assert "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:coredns" in paths


def test_a_bootstrap_token_may_ask_and_approve_nothing():
    roles = {
        one["roleRef"]["name"]
        for one in bindings.manifests()
        if one["subjects"][0]["name"] == BOOTSTRAP_GROUP
    }
    assert roles == {"system:node-bootstrapper"}


def test_nodes_run_kube_proxy_and_approve_nothing_by_being_nodes():
    roles = {
        one["roleRef"]["name"]
        for one in bindings.manifests()
        if one["subjects"][0]["name"] == "system:nodes"
    }
    assert roles == {"system:node-proxier"}


def test_dns_has_the_address_that_kubelets_are_told(by_name):
    service = by_name["Service kube-dns"]
    assert service["spec"]["clusterIP"] == "10.96.0.10"
    # Server-side apply knows ports by number and protocol: one without would be two.
    assert {(p["port"], p["protocol"]) for p in service["spec"]["ports"]} == {
        (53, "UDP"),
        (53, "TCP"),
        (9153, "TCP"),
    }


def test_replicas_are_never_on_one_machine_while_there_is_another(by_name):
    pod = by_name["Deployment coredns"]["spec"]["template"]["spec"]
    constraints = {one["topologyKey"]: one for one in pod["topologySpreadConstraints"]}
    assert constraints.keys() == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    for one in constraints.values():
        assert one["whenUnsatisfiable"] == "DoNotSchedule"
        assert one["matchLabelKeys"] == ["pod-template-hash"]
        # A dead machine has the fewest replicas: the next one would have to go there.
        assert one["nodeTaintsPolicy"] == "Honor"


def test_dns_moves_early_from_a_machine_that_is_gone(by_name):
    pod = by_name["Deployment coredns"]["spec"]["template"]["spec"]
    seconds = {
        one["key"]: one["tolerationSeconds"]
        for one in pod["tolerations"]
        if "tolerationSeconds" in one
    }
    assert seconds == {
        "node.kubernetes.io/not-ready": 10,
        "node.kubernetes.io/unreachable": 10,
    }
    assert pod["priorityClassName"] == "system-cluster-critical"


def test_the_corefile_takes_a_persons_own_parts():
    text = cluster_dns.corefile("example.internal")
    assert "kubernetes example.internal in-addr.arpa ip6.arpa {" in text
    assert text.count("{") == text.count("}")
    own = [line.strip() for line in text.splitlines() if "import" in line]
    assert own == ["import /etc/coredns-custom/*.override", "import /etc/coredns-custom/*.server"]


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ({}, 2),
        ({"a": 1}, 2),
        ({"a": 1, "b": 1}, 2),
        ({"a": 1, "b": 1, "c": 1}, 3),
        ({"a": 16, "b": 16, "c": 16}, 3),
        ({"a": 20, "b": 20, "c": 20}, 4),
        ({"a": 1000}, 63),
        # One worker alone in its zone takes one replica, the other zones no more than two.
        ({"a": 1, "b": 60, "c": 60}, 5),
    ],
)
def test_replicas_by_the_number_of_workers(workers, expected):
    assert replicas(workers) == expected


@given(
    workers=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40), max_size=6),
    scheduler=st.randoms(use_true_random=False),
)
def test_all_replicas_find_a_place(workers, scheduler):
    """As the scheduler has it: one at a time, over hosts and zones, a skew of 1 at most."""
    wanted = replicas(workers)
    assert wanted >= FEWEST
    hosts = {(zone, number): 0 for zone, count in workers.items() for number in range(count)}
    for _ in range(wanted if hosts else 0):
        zones = {zone: sum(n for (z, _), n in hosts.items() if z == zone) for zone in workers}
        free = [
            host
            for host, number in hosts.items()
            if number + 1 - min(hosts.values()) <= 1
            and zones[host[0]] + 1 - min(zones.values()) <= 1
        ]
        assert free, (workers, wanted, hosts)
        hosts[scheduler.choice(free)] += 1


def test_only_workers_that_take_pods_count():
    taint = {"key": "a", "effect": "NoSchedule"}
    prefer = {"key": "a", "effect": "PreferNoSchedule"}
    nodes = [
        node("a"),
        node("a", taints=[prefer]),
        node("b", ready=False),
        node("b", taints=[taint]),
        node("c", taints=[prefer, taint]),
        node(None),
        {"metadata": {"name": "new", "labels": {ZONE: "d"}}, "spec": {}},
    ]
    assert workers_by_zone(nodes) == {"a": 2}


def test_more_workers_change_nothing_but_the_number_of_replicas():
    few, many = (
        {path_of(one): one for one in manifests(ADDONS, nodes)}
        for nodes in ([], [node(zone, f"{zone}{n}") for zone, n in product("abc", range(30))])
    )
    changed = [path for path in few if few[path] != many[path]]
    assert changed == ["/apis/apps/v1/namespaces/kube-system/deployments/coredns"]
    assert many[changed[0]]["spec"]["replicas"] == 6
    templates = [one[changed[0]]["spec"]["template"] for one in (few, many)]
    assert templates[0] == templates[1]
    assert spread.WORKERS_PER_REPLICA == 16
