"""The configurations of a worker in the eyes of the real kubelet and the real kube-proxy."""

import subprocess

import pytest
import yaml

from tests.golden.nodes import arguments, settings, worker_node, written

WORKERS = {
    "general": {"min": 1},
    "batch": {
        "min": 1,
        "labels": {"team": "a", "example.com/alone": ""},
        "taints": ["batch=true:NoSchedule", "example.com/b:NoExecute"],
    },
}

MACHINE = {
    "NODE_ADDRESS": "10.0.48.9",
    "NODE_NAME": "ip-10-0-48-9.eu-central-1.compute.internal",
    "PROVIDER_ID": "aws:///eu-central-1a/i-0123456789abcdef0",
    "ZONE": "eu-central-1a",
    "REGION": "eu-central-1",
    "INSTANCE_TYPE": "m6i.large",
}
"""node.env."""


@pytest.fixture(params=WORKERS)
def config(request):
    return worker_node(settings(workers=WORKERS), request.param)


@pytest.fixture(params=["vpc", "none"])
def pod_network(request):
    return request.param


def flags(node, daemon, **instead):
    """The command line as systemd would give it; `instead` are paths of the test."""
    given = arguments(node, f"{daemon}.service") | {
        name.replace("_", "-"): str(path) for name, path in instead.items()
    }
    text = "\n".join(f"--{name}={value}" for name, value in given.items())
    for name, value in MACHINE.items():
        text = text.replace(f"${{{name}}}", value)
    return text.splitlines()


def run(*command):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


def kubelet(config, directory, binary, **more):
    """What the kubelet says before it would join; it has nothing to join with."""
    document = yaml.safe_load(written(config)["/etc/kubernetes/kubelet.yaml"])
    # Whatever the computer of the test has.
    document |= {"failCgroupV1": False, **more}
    path, drop_ins = directory / "kubelet.yaml", directory / "drop-ins"
    path.write_text(yaml.safe_dump(document))
    drop_ins.mkdir()
    (drop_ins / "more.conf").write_text(
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 7\n"
    )
    return run(
        binary,
        *flags(
            config,
            "kubelet",
            config=path,
            config_dir=drop_ins,
            bootstrap_kubeconfig=directory / "absent.conf",
            kubeconfig=directory / "kubelet.conf",
            cert_dir=directory,
        ),
    )


def test_the_kubelet_takes_its_flags_and_its_configuration(config, tmp_path, kubernetes_binaries):
    said = kubelet(config, tmp_path, kubernetes_binaries / "kubelet")

    assert "unable to load bootstrap kubeconfig" in said, said
    assert "deprecated" not in said.lower(), said
    assert "unknown" not in said.lower(), said


def test_the_kubelet_would_tell(config, tmp_path, kubernetes_binaries):
    said = kubelet(config, tmp_path, kubernetes_binaries / "kubelet", maxPodz=3)

    assert "unknown field" in said
    assert "maxPodz" in said


def test_kube_proxy_takes_its_configuration(pod_network, tmp_path, kubernetes_binaries):
    given = settings(workers=WORKERS, network={"podNetwork": pod_network})
    config = worker_node(given)
    document = written(config)["/etc/kubernetes/kube-proxy.yaml"]
    path, whole = tmp_path / "kube-proxy.yaml", tmp_path / "whole.yaml"
    path.write_text(document)

    said = run(
        kubernetes_binaries / "kube-proxy",
        *flags(config, "kube-proxy", config=path),
        f"--write-config-to={whole}",
    )

    assert "Wrote configuration" in said, said
    assert holds(yaml.safe_load(whole.read_text()), yaml.safe_load(document))


def holds(whole, part):
    """Whether a document has what a part of it has, sections included."""
    if not isinstance(part, dict):
        return whole == part
    return all(key in whole and holds(whole[key], value) for key, value in part.items())
