"""What workers run, as the lab builds it: the versions that the program installs, and as upstream
builds them where it matters."""

import os
import subprocess

import pytest

from config.container_images import COREDNS
from config.versions import CNI_PLUGINS, CONTAINERD, KUBERNETES, RUNC
from lab.binaries.cni_plugins import built_cni_plugins
from lab.binaries.containerd import built_containerd
from lab.binaries.coredns import built_coredns
from lab.binaries.pause import built_pause
from lab.binaries.runc import built_runc
from lab.machines import requirements
from lab.machines.download_store import RELEASES, hosts

pytestmark = pytest.mark.daemons


def said(*command: object) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "CNI_COMMAND": "VERSION"},
    )
    return done.stdout + done.stderr


def static(program: object) -> bool:
    return "interpreter" not in said("readelf", "--program-headers", program)


@pytest.mark.parametrize("name", ["containerd", "containerd-shim-runc-v2", "ctr"])
def test_containerd(name):
    program = built_containerd(print) / name
    option = "-v" if name == "containerd-shim-runc-v2" else "--version"
    assert f"v{CONTAINERD.default}" in said(program, option)
    assert static(program)


def test_runc_has_seccomp_and_needs_no_library():
    if reason := requirements.problem():
        pytest.skip(reason)
    program = built_runc(print) / "runc"
    lines = said(program, "--version").splitlines()
    assert lines[0] == f"runc version {RUNC.default}"
    # Without it there is no such line.
    assert any(line.startswith("libseccomp: ") for line in lines)
    assert static(program)


@pytest.mark.parametrize("name", ["bridge", "host-local", "loopback", "portmap", "ptp"])
def test_network_plug_ins(name):
    program = built_cni_plugins(print) / name
    assert '"1.0.0"' in said(program)
    assert static(program)
    assert CNI_PLUGINS.default in said(
        "grep", "--text", "--only-matching", "v1[.]9[.][0-9]", program
    )


def test_coredns():
    program = built_coredns(print) / "coredns"
    assert f"CoreDNS-{COREDNS.tag.removeprefix('v')}" in said(program, "-version")
    assert static(program)


def test_pause_ends_when_it_is_told_to():
    with subprocess.Popen([built_pause(print) / "pause"]) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.terminate()
        process.wait(5)


@pytest.mark.parametrize("name", ["kubelet", "kube-proxy"])
def test_kubernetes(kubernetes_binaries, name):
    assert said(kubernetes_binaries / name, "--version") == f"Kubernetes v{KUBERNETES.default}\n"


def test_agnhost_answers(kubernetes_binaries):
    assert "netexec" in said(kubernetes_binaries / "agnhost", "--help")


def test_every_artifact_has_a_place():
    assert {release.url.split("/")[2] for release in RELEASES.values()} <= hosts()
