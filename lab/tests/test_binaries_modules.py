"""Modules of the programs that the lab builds."""

import re

from lab.binaries.coredns import COREDNS
from lab.binaries.kubernetes import KUBERNETES
from lab.engine.cli.pulumi_cli import CLI


def versions(build):
    """The version of every module of a build, by its path."""
    text = (build.module / "go.mod").read_text()
    required = dict(re.findall(r"^(?:require |\t)(\S+) (v\S+)(?: // indirect)?$", text, re.M))
    replaced = {
        name: version
        for name, other, version in re.findall(
            r"^(?:replace |\t)(\S+) => (\S+) (v\S+)$", text, re.M
        )
        if name == other
    }
    return required | replaced, set(replaced)


def test_coredns_is_compiled_with_what_kubernetes_was():
    """Anything else is compiled twice: two thirds of CoreDNS, a minute and a half of computing."""
    there, _ = versions(KUBERNETES)
    here, replaced = versions(COREDNS)

    assert {"k8s.io/api", "k8s.io/client-go", "golang.org/x/net"} <= replaced
    assert {name: here[name] for name in replaced} == {name: there[name] for name in replaced}
    assert {name: here[name] for name in here.keys() & there.keys() if "k8s.io/" in name} == {
        name: there[name] for name in here.keys() & there.keys() if "k8s.io/" in name
    }
    assert COREDNS.flags[:4] == KUBERNETES.flags[:4]
    assert COREDNS.tags == KUBERNETES.tags


def test_what_takes_a_packages_place_is_that_package():
    for package, source in CLI.instead.items():
        (file,) = source.glob("*.go")
        assert f"\npackage {package.rpartition('/')[2]}\n" in file.read_text()
