"""What is done to the servers of a node, played with an HAProxy of this test's own."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.machines.load_balancer.haproxy_format import Server
from lab.machines.load_balancer.target_steps import commands, states
from lab.tests.load_balancer_samples import GROUP, ONE, OTHER, node, target

NODE = node(0)
WELL = Server("api", ONE.name, checked=True, up=True, used=True, since=9, sessions=0)


def both(server: Server) -> list[Server]:
    return [server, replace(server, backend="api.all", checked=False, sessions=0)]


def only(**group):
    return replace(GROUP, **{"targets": (ONE,)} | group)


def test_nothing_is_done_when_all_is_well():
    assert commands(only(), NODE, both(WELL), {}) == ()


def test_the_first_check_decides():
    waiting = replace(WELL, checked=False, used=False)
    assert commands(only(), NODE, both(waiting), {}) == ()
    assert states(only(), NODE, both(waiting)) == {ONE.name: "initial"}
    passed = replace(WELL, used=False)
    assert commands(only(), NODE, both(passed), {}) == (
        "set server api/10.0.0.5:6443 state ready",
        "set server api/10.0.0.5:6443 weight 1",
        "set server api.all/10.0.0.5:6443 state ready",
        "set server api.all/10.0.0.5:6443 weight 1",
    )
    assert states(only(), NODE, both(passed)) == {ONE.name: "initial"}
    assert states(only(), NODE, both(WELL)) == {ONE.name: "healthy"}


DOWN = replace(WELL, up=False, sessions=2)
CUT = (
    "shutdown sessions server api/10.0.0.5:6443",
    "shutdown sessions server api.all/10.0.0.5:6443",
)


@pytest.mark.parametrize(
    ("group", "since", "done", "state"),
    [
        ({}, 299, (), "unhealthy.draining"),
        ({}, 300, CUT, "unhealthy"),
        ({"unhealthy_draining": 0}, 9999, (), "unhealthy"),
        # HAProxy does that by itself.
        ({"terminate_unhealthy": True}, 9999, (), "unhealthy"),
    ],
)
def test_an_unhealthy_target_keeps_its_connections_as_declared(group, since, done, state):
    found = both(replace(DOWN, since=since))
    assert commands(only(**group), NODE, found, {}) == done
    assert states(only(**group), NODE, found) == {ONE.name: state}


REMOVED = (
    "set server api/10.0.0.5:6443 state maint",
    "del server api/10.0.0.5:6443",
    "set server api.all/10.0.0.5:6443 state maint",
    "del server api.all/10.0.0.5:6443",
)


@pytest.mark.parametrize(
    ("seconds", "sessions", "cut", "done"),
    [
        (0, 0, False, ()),
        (59, 2, True, ()),
        (60, 0, False, REMOVED),
        (60, 2, False, ()),
        (60, 2, True, CUT),
    ],
)
def test_a_deregistered_target_drains(seconds, sessions, cut, done):
    group = only(targets=(), draining=(ONE,), terminate_drained=cut)
    drained = replace(WELL, used=False, sessions=sessions)
    assert commands(group, NODE, both(drained), {ONE.name: seconds}) == done
    assert commands(group, NODE, both(WELL), {}) == (
        "set server api/10.0.0.5:6443 state drain",
        "set server api.all/10.0.0.5:6443 state drain",
    )
    assert states(group, NODE, both(drained)) == {}


def test_without_cross_zone_a_node_knows_its_own_zone():
    group = replace(GROUP, cross_zone=False)
    assert not [line for line in commands(group, NODE, [], {}) if OTHER.name in line]
    assert states(group, NODE, []) == {ONE.name: "initial"}


class Fake:
    """As much of HAProxy as the commands need: its servers never fail a check."""

    def __init__(self, sessions: dict[str, int]) -> None:
        self.servers: dict[str, Server] = {}
        self.sessions = sessions
        self.cut: set[str] = set()

    def tell(self, line: str) -> None:
        words = line.split()
        name = words[-1] if words[0] in {"enable", "shutdown", "del"} else words[2]
        server = self.servers.get(name)
        match words[:2]:
            case ["add", "server"] if server is None:
                backend, _, of = name.partition("/")
                sessions = self.sessions.get(name, 0)
                self.servers[name] = Server(backend, of, False, True, False, 0, sessions)
            case ["set", "server"] if server:
                used = {"ready": server.used, "1": True}.get(words[-1], False)
                self.servers[name] = replace(server, used=used)
            case ["del", "server"] if server and not server.sessions:
                assert not server.used
                del self.servers[name]
            case ["shutdown", "sessions"] if server:
                self.cut.add(server.name)
                self.servers[name] = replace(server, sessions=0)

    def check(self) -> None:
        for name, server in self.servers.items():
            self.servers[name] = replace(server, checked=server.backend == "api")


pool = [target(f"10.0.0.{last}") for last in range(5, 9)]
subsets = st.sets(st.sampled_from(pool)).map(lambda some: tuple(sorted(some, key=str)))
numbers = st.dictionaries(
    st.sampled_from([f"{backend}/{one.name}" for one in pool for backend in ("api", "api.all")]),
    st.integers(0, 2),
)


@settings(deadline=None)
@given(st.lists(st.tuples(subsets, subsets, st.booleans()), min_size=1, max_size=5), numbers)
def test_servers_become_what_is_wanted_and_nobody_elses_connection_is_cut(lives, sessions):
    fake = Fake(sessions)
    for targets, others, cut in lives:
        draining = tuple(one for one in others if one not in targets)
        group = replace(GROUP, targets=targets, draining=draining, terminate_drained=cut)
        fake.cut.clear()
        for seconds in (0, 0, 0, 0, 100, 100, 100):
            drained = {one.name: float(seconds) for one in draining}
            for line in commands(group, NODE, fake.servers.values(), drained):
                fake.tell(line)
            fake.check()
        wanted = {one.name for one in targets}
        used = {server.name for server in fake.servers.values() if server.used}
        assert used == wanted
        assert {f"api/{name}" for name in wanted} <= set(fake.servers)
        assert fake.cut.isdisjoint(wanted)
        if cut:
            assert {server.name for server in fake.servers.values()} == wanted
        else:
            assert not fake.cut
        assert (
            commands(group, NODE, fake.servers.values(), {one.name: 100 for one in draining}) == ()
        )
