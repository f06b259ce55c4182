"""A real kube-apiserver takes the example application, and knows each of its fields."""

import pytest
import yaml

from tests.node.controlplane import ControlPlane
from tests.recording import REPOSITORY

PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/default/deployments",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
    "Service": "/api/v1/namespaces/default/services",
}


@pytest.fixture(scope="module")
def plane(tmp_path_factory, etcd_binaries, kubernetes_binaries):
    """An API server over one member of etcd."""
    plane = ControlPlane(tmp_path_factory.mktemp("plane"), etcd_binaries, kubernetes_binaries)
    try:
        plane.form(1)
        plane.running_server()
        yield plane
    finally:
        plane.close()


@pytest.mark.parametrize("path", sorted((REPOSITORY / "examples/application").glob("*.yaml")))
def test_the_api_server_takes_it(plane, path):
    admin, server = plane.client("admin", "system:masters"), plane.servers[0]
    for document in yaml.safe_load_all(path.read_text()):
        # A field that is misspelt is an error, not a warning.
        made = server.call(
            admin, "POST", f"{PATHS[document['kind']]}?fieldValidation=Strict", document
        )
        assert made["metadata"]["uid"]
