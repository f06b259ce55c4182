"""Kubernetes as the tests and the lab get it."""

import subprocess

import pytest

from config.versions import KUBERNETES
from lab.binaries import kubernetes


@pytest.mark.parametrize("name", ["kube-apiserver", "kube-controller-manager", "kube-scheduler"])
def test_they_are_the_version_that_the_program_installs(kubernetes_binaries, name):
    done = subprocess.run(
        [kubernetes_binaries / name, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"Kubernetes v{KUBERNETES.default}\n"


def test_kubectl_is_of_the_same_version(kubernetes_binaries):
    done = subprocess.run(
        [kubernetes_binaries / "kubectl", "version", "--client"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"Client Version: v{KUBERNETES.default}\n" in done.stdout


def test_they_are_built_once(kubernetes_binaries, monkeypatch):
    said = []
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("built again"))
    assert kubernetes.built_kubernetes(said.append) == kubernetes_binaries
    assert said == []
