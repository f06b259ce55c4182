"""The programs of examples/, as they stand."""

import runpy
import sys

import pytest

from tests.recording import REPOSITORY

EXAMPLE = REPOSITORY / "examples/clusters"


@pytest.fixture(scope="module")
def example(deploy):
    def program():
        # As Python does for the program of `pulumi up`.
        sys.path.insert(0, str(EXAMPLE))
        try:
            runpy.run_path(str(EXAMPLE / "__main__.py"), run_name="__main__")
        finally:
            sys.path.remove(str(EXAMPLE))

    return deploy(program)


def test_two_clusters_in_one_program(example):
    assert set(example.of("Cluster")) == {"frankfurt", "dublin"}
    assert set(example.exports()) == {
        f"{name}{suffix}" for name in ("frankfurt", "dublin") for suffix in ("", "-kubeconfig")
    }
    assert set(example.of("Vpc")) == {"platform", "dublin"}
    assert example.registrations("Instance")["dublin-api-0"].provider


def test_nodes_boot_once_their_subnet_has_a_way_out(example):
    instances = example.registrations("Instance")
    for name, subnet in (("frankfurt-etcd-0", "etcd"), ("frankfurt-api-0", "nodes")):
        association = example.urn("RouteTableAssociation", f"{subnet}-eu-central-1a")
        assert association in instances[name].dependencies
    association = example.registrations("RouteTableAssociation")["etcd-eu-central-1a"]
    assert example.urn("Route", "private") in association.dependencies
