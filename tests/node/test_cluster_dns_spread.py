"""Replicas of CoreDNS move to where the scheduler would put them now, and never for nothing."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from node.cluster import dns_moves
from node.cluster.dns_moves import DEPLOYMENT, STEADY_SECONDS, Moves
from node.cluster.dns_spread import HOST, Place, next_places, spread
from node.cluster.manifests.spread import ZONE, replicas, workers_by_zone


def a_node(name, zone="a", *, ready="True", taints=(), labels=None):
    return {
        "metadata": {
            "name": name,
            "labels": {ZONE: zone, HOST: name, "kubernetes.io/os": "linux"} | (labels or {}),
        },
        "spec": {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def a_pod(host, number=0, *, ready="True", template="t1", ending=False):
    """The one with the higher number is the younger one."""
    metadata = {
        "name": f"coredns-{number}",
        "uid": f"uid-{number}",
        "creationTimestamp": f"2026-01-01T00:{number:02}:00Z",
        "labels": {"k8s-app": "kube-dns", "pod-template-hash": template},
    }
    return {
        "metadata": {**metadata, "deletionTimestamp": "now"} if ending else metadata,
        "spec": {"nodeName": host} if host else {},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    }


def pods(*hosts):
    return [a_pod(host, number) for number, host in enumerate(hosts)]


def a_deployment(number, *, observed=1, status=None, **template):
    template = {"nodeSelector": {"kubernetes.io/os": "linux"}, **template}
    return {
        "metadata": {"generation": 1},
        "spec": {"replicas": number, "template": {"spec": template}},
        "status": {
            "observedGeneration": observed,
            "replicas": number,
            "updatedReplicas": number,
            **(status or {}),
        },
    }


TWO = [a_node("one", "a"), a_node("two", "b")]


def leaves(found, nodes=TWO, deployment=None):
    """The name of the replica that moves, and from where."""
    seen = spread(deployment or a_deployment(len(found)), found, nodes)
    return seen and seen.leaving and (seen.leaving.name, seen.leaving.place.host)


def test_the_younger_one_of_two_on_one_worker_leaves_it():
    assert leaves(pods("one", "one")) == ("coredns-1", "one")
    assert leaves(list(reversed(pods("one", "one")))) == ("coredns-1", "one")


@pytest.mark.parametrize(
    ("hosts", "zones", "leaving"),
    [
        (["1"], {"1": "a"}, None),
        (["1", "1"], {"1": "a"}, None),
        (["1", "1"], {"1": "a", "2": "a"}, "1"),
        (["1", "2"], {"1": "a", "2": "a"}, None),
        (["1", "2"], {"1": "a", "2": "a", "3": "b"}, "1 or 2"),
        (["1", "1", "2"], {"1": "a", "2": "b"}, None),
        (["1", "1", "2"], {"1": "a", "2": "b", "3": "c"}, "1"),
        # A zone of one worker has one, so the other two share the other zone.
        (["1", "2", "2"], {"1": "a", "2": "b", "3": "b"}, "2"),
        (["1", "2", "3"], {"1": "a", "2": "b", "3": "b"}, None),
        # Nowhere else would a fourth be placed: as many are not wanted (manifests.spread).
        (["1", "2", "2", "2"], {"1": "a", "2": "b", "3": "b", "4": "b"}, None),
    ],
)
def test_what_leaves_where(hosts, zones, leaving):
    nodes = [a_node(name, zone) for name, zone in zones.items()]
    found = leaves(pods(*hosts), nodes)
    assert (found is None) if leaving is None else (found[1] in leaving.split(" or "))


@pytest.mark.parametrize(
    "other",
    [
        a_node("two", "b", ready="Unknown"),
        a_node("two", "b", taints=["node.kubernetes.io/unschedulable"]),
        a_node("two", "b", taints=["dedicated"]),
        a_node("two", "b", labels={"kubernetes.io/os": "windows"}),
        {**a_node("two"), "metadata": {"name": "two"}},
    ],
)
def test_a_worker_that_takes_no_replica_draws_none(other):
    assert leaves(pods("one", "one"), [TWO[0], other]) is None


def test_a_worker_for_critical_addons_alone_takes_replicas():
    other = a_node("two", "b", taints=["CriticalAddonsOnly"])
    assert leaves(pods("one", "one"), [TWO[0], other]) == ("coredns-1", "one")


def test_what_has_to_go_anyway_does_not_count():
    """As for the scheduler: the replica on the cordoned worker is there, and not in a count."""
    nodes = [a_node("one", taints=["node.kubernetes.io/unschedulable"]), *TWO[1:], a_node("three")]
    assert leaves(pods("one", "two", "two"), nodes) == ("coredns-2", "two")
    assert leaves(pods("one", "one", "two"), nodes) is None


@pytest.mark.parametrize(
    ("found", "deployment"),
    [
        ([a_pod("one", 0), a_pod("one", 1, ready="False")], a_deployment(2)),
        ([a_pod("one", 0), a_pod("one", 1), a_pod("", 2)], a_deployment(3)),
        ([a_pod("one", 0), a_pod("one", 1)], a_deployment(3)),
        ([a_pod("one", 0), a_pod("one", 1), a_pod("one", 2, ending=True)], a_deployment(3)),
        # A rollout is under way, or about to begin.
        ([a_pod("one", 0), a_pod("one", 1, template="t2")], a_deployment(2)),
        (pods("one", "one"), a_deployment(2, status={"updatedReplicas": 1})),
        (pods("one", "one"), a_deployment(2, observed=0)),
        # A person says where it belongs.
        (pods("one", "one"), a_deployment(2, affinity={"nodeAffinity": {}})),
        (pods("one", "one"), a_deployment(2, nodeSelector={HOST: "one"})),
    ],
)
def test_nothing_moves_while_anything_else_does(found, deployment):
    assert leaves(found, TWO, deployment) is None


def test_one_that_ended_is_none():
    ended = a_pod("two", 9)
    ended["status"]["phase"] = "Failed"
    assert leaves([*pods("one", "one"), ended], TWO, a_deployment(2)) == ("coredns-1", "one")


zone_sizes = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@st.composite
def clusters(draw):
    """Nodes, and a place for each replica that such a cluster has."""
    nodes = [
        a_node(f"{zone}{number}", zone)
        for zone, size in zip("abcd", draw(zone_sizes), strict=False)
        for number in range(size)
    ]
    names = [node["metadata"]["name"] for node in nodes]
    wanted = replicas(workers_by_zone(nodes))
    return nodes, draw(st.lists(st.sampled_from(names), min_size=wanted, max_size=wanted))


def places_of(nodes):
    return {
        node["metadata"]["name"]: Place(node["metadata"]["labels"][ZONE], node["metadata"]["name"])
        for node in nodes
    }


def skews(hosts, nodes):
    where = places_of(nodes)
    for key in ("zone", "host"):
        count = Counter({getattr(place, key): 0 for place in where.values()})
        count.update(getattr(where[host], key) for host in hosts)
        yield max(count.values()) - min(count.values())


@given(clusters(), st.randoms(use_true_random=False))
def test_it_ends_and_well_wherever_the_scheduler_puts_the_next(cluster, random):
    nodes, hosts = cluster
    where, before = places_of(nodes), None
    for _ in range(len(hosts) ** 2 + 1):
        seen = spread(a_deployment(len(hosts)), pods(*hosts), nodes)
        assert before is None or seen.badness < before
        before = seen.badness
        well = max(skews(hosts, nodes)) <= 1
        assert (seen.leaving is None) == well
        if seen.leaving is None:
            return
        hosts.remove(seen.leaving.place.host)
        allowed = next_places([where[host] for host in hosts], where.values())
        hosts.append(random.choice(sorted(allowed, key=lambda one: one.host)).host)
    pytest.fail("it does not end")


@given(clusters(), st.data())
def test_with_fewer_than_all_replicas_ready_nothing_moves(cluster, data):
    nodes, hosts = cluster
    found = pods(*hosts)
    for pod in data.draw(st.lists(st.sampled_from(found), min_size=1)):
        pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    assert spread(a_deployment(len(hosts)), found, nodes) is None
    assert spread(a_deployment(len(hosts) + 1), pods(*hosts), nodes) is None


@given(clusters())
def test_the_one_that_leaves_is_the_youngest_of_its_place(cluster):
    nodes, hosts = cluster
    seen = spread(a_deployment(len(hosts)), pods(*hosts), nodes)
    assume(seen.leaving)
    youngest = max(index for index, host in enumerate(hosts) if host == seen.leaving.place.host)
    assert seen.leaving.name == f"coredns-{youngest}"


class FakeApi:
    """CoreDNS in a cluster whose scheduler is this test."""

    def __init__(self, *hosts):
        self.pods, self.budget, self.evicted = pods(*hosts), "", []
        self.there = True

    def find(self, path):
        assert path == DEPLOYMENT
        return a_deployment(2) if self.there else None

    def get(self, path, labelSelector):
        assert (path, labelSelector) == (dns_moves.PODS, "k8s-app=kube-dns")
        return {"items": self.pods}

    def evict(self, path, uid):
        if not self.budget:
            self.evicted.append((path, uid))
        return self.budget

    def placed(self, *hosts):
        self.pods = [a_pod(host, 10 + number) for number, host in enumerate(hosts)]


def test_a_replica_is_evicted_after_a_while_and_once():
    moves, api = Moves(), FakeApi("one", "one")
    assert moves.step(api, TWO, 0) == []
    assert moves.step(api, TWO, STEADY_SECONDS - 1) == []
    said = moves.step(api, TWO, STEADY_SECONDS)
    assert said == ["evicted coredns-1 from one: others have fewer replicas"]
    assert api.evicted == [(f"{dns_moves.PODS}/coredns-1", "uid-1")]
    api.placed("one", "two")
    assert moves.step(api, TWO, 1000) == []
    assert len(api.evicted) == 1


def test_a_worker_that_comes_and_goes_draws_no_replica():
    moves, api = Moves(), FakeApi("one", "one")
    for number in range(10):
        nodes = TWO if number % 2 else TWO[:1]
        assert moves.step(api, nodes, number * (STEADY_SECONDS - 1)) == []
    assert api.evicted == []


def test_a_budget_that_refuses_is_asked_again_and_said_once():
    moves, api = Moves(), FakeApi("one", "one")
    api.budget = "the API server answered 429: Cannot evict pod"
    moves.step(api, TWO, 0)
    (line,) = moves.step(api, TWO, STEADY_SECONDS)
    assert line == f"coredns-1 stays on one for now: {api.budget}"
    assert moves.step(api, TWO, STEADY_SECONDS + 15) == []
    api.budget = ""
    assert moves.step(api, TWO, STEADY_SECONDS + 30)[0].startswith("evicted coredns-1 ")


def test_what_helps_nothing_is_done_once():
    """Something else keeps replicas from the second worker: it has no room, say."""
    moves, api = Moves(), FakeApi("one", "one")
    for number in range(20):
        moves.step(api, TWO, number * STEADY_SECONDS)
        if number == 1:
            api.placed("one", "one")
    assert len(api.evicted) == 1
    # Another worker may have room.
    more = [*TWO, a_node("three", "c")]
    moves.step(api, more, 10_000)
    moves.step(api, more, 10_000 + STEADY_SECONDS)
    assert len(api.evicted) == 2


def test_a_worker_that_was_away_gets_its_replica_back_every_time():
    moves, api = Moves(), FakeApi("one", "one")
    for number in range(3):
        start = number * 1000
        moves.step(api, TWO, start)
        assert moves.step(api, TWO, start + STEADY_SECONDS)
        api.placed("one", "two")
        moves.step(api, TWO, start + 2 * STEADY_SECONDS)
        api.placed("one", "one")
        moves.step(api, TWO[:1], start + 3 * STEADY_SECONDS)
    assert len(api.evicted) == 3


def test_without_coredns_nothing_is_to_do():
    api = FakeApi("one", "one")
    api.there = False
    assert Moves().step(api, TWO, 0) == []
