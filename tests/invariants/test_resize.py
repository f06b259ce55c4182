"""A size change touches the members that come and go, and the membership; nothing else."""

from dataclasses import replace
from itertools import permutations

import pytest

from components.nodes.owned_parameter import NEVER_WRITTEN_AGAIN
from tests.recording import SMALL

SIZES = (1, 3, 5, 7)


@pytest.fixture(scope="module")
def by_size(deploy_stack):
    return {size: deploy_stack({**SMALL, "etcd": {"size": size}}) for size in SIZES}


def inventory(deployment):
    return {
        urn: r for urn, r in deployment.monitor.recorded.items() if "pulumi:Stack" not in r.type
    }


def numbers(size):
    return {f"etcd-{number}" for number in range(size)}


@pytest.mark.parametrize(("old", "new"), list(permutations(SIZES, 2)))
def test_a_size_change_touches_only_the_members_that_come_and_go(by_size, old, new):
    before, after = inventory(by_size[old]), inventory(by_size[new])
    members = numbers(old) ^ numbers(new)
    appeared_or_left = {urn.rsplit("::", 1)[-1] for urn in before.keys() ^ after.keys()}
    assert all(any(f"-{member}" in name for member in members) for name in appeared_or_left)
    changed = {
        urn.rsplit("::", 1)[-1]
        for urn in before.keys() & after.keys()
        if before[urn].raw != after[urn].raw
    }
    # The marker differs for a cluster that is made with this size; of one that exists, the engine
    # ignores the change.
    assert changed == {"test-etcd-members", "test-etcd-formation"}
    marker = after[by_size[new].urn("Parameter", "test-etcd-formation")]
    assert marker.ignore_changes == NEVER_WRITTEN_AGAIN


@pytest.mark.parametrize(("old", "new"), list(permutations(SIZES, 2)))
def test_no_existing_machine_waits_for_anything_else_after_a_size_change(by_size, old, new):
    """But API servers: for the members that are a quorum of the new size."""
    before, after = by_size[old].registrations("Instance"), by_size[new].registrations("Instance")
    for name in before.keys() & after.keys():
        waited, waits = set(before[name].dependencies), set(after[name].dependencies)
        if "-api-" in name:
            waited -= quorum(by_size[old], old)
            waits -= quorum(by_size[new], new)
        assert waits == waited
        assert replace(before[name], dependencies=()) == replace(after[name], dependencies=())


def quorum(deployment, size):
    """Instance and disk of the member with whom there is a quorum."""
    name = f"test-etcd-{size // 2}"
    return {
        deployment.urn("Instance", name),
        deployment.urn("VolumeAttachment", f"{name}-data"),
    }


@pytest.mark.parametrize("size", SIZES)
def test_api_servers_come_after_a_quorum_of_members_and_go_before_it_is_lost(by_size, size):
    for name, server in by_size[size].registrations("Instance").items():
        if "-api-" in name:
            assert quorum(by_size[size], size) <= set(server.dependencies)
