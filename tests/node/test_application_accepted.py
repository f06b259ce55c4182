"""A real kube-apiserver takes the example application, and knows each of its fields."""

import subprocess

import pytest

from tests.node.controlplane import ControlPlane
from tests.recording import REPOSITORY

APPLICATION = REPOSITORY / "examples/application"


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory, etcd_binaries, kubernetes_binaries):
    """kubectl at an API server over one member of etcd, as the administrator."""
    directory = tmp_path_factory.mktemp("plane")
    plane = ControlPlane(directory, etcd_binaries, kubernetes_binaries)
    try:
        plane.form(1)
        server = plane.running_server()
        plane.client("admin", "system:masters")
        authority = directory / "ca.pem"
        authority.write_text(plane.keys.kubernetes.pair.certificate)
        words = [
            kubernetes_binaries / "kubectl",
            "--kubeconfig=/dev/null",
            f"--server=https://{server.address}:6443",
            f"--certificate-authority={authority}",
            f"--client-certificate={directory}/admin.pem",
            f"--client-key={directory}/admin.pem",
            f"--cache-dir={directory}/cache",
        ]

        def run(*arguments):
            return subprocess.run(
                [*words, *arguments], capture_output=True, text=True, check=False, timeout=120
            )

        yield run
    finally:
        plane.close()


def test_the_api_server_takes_it(kubectl):
    """A field that is misspelt would be an error, not a warning."""
    done = kubectl("apply", "--validate=strict", f"--filename={APPLICATION}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" created") == len(list(APPLICATION.glob("*.yaml")))
    assert done.stderr == ""


def test_it_may_run_where_pods_are_restricted(kubectl):
    """Pod Security warns of what a namespace would refuse."""
    label = "pod-security.kubernetes.io/enforce=restricted"
    assert kubectl("create", "namespace", "strict").returncode == 0
    assert (
        kubectl("label", "namespace", "strict", label, label.replace("enforce", "warn")).stderr
        == ""
    )
    done = kubectl("apply", "--namespace=strict", f"--filename={APPLICATION}")
    assert (done.returncode, done.stderr) == (0, "")
