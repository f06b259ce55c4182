"""The load of the API as the tests and the lab get it."""

import re
from dataclasses import replace

from lab.binaries.apiload import APILOAD
from lab.binaries.kubernetes import KUBERNETES


def pins(build):
    text = (build.module / "go.mod").read_text()
    return dict(re.findall(r"^\t(\S+) (v\S+)", text, re.MULTILINE))


def test_it_shares_its_modules_with_kubernetes():
    """Their packages are compiled once for both."""
    ours, theirs = pins(APILOAD), pins(KUBERNETES)
    assert set(ours) - set(theirs) == {"github.com/anishathalye/porcupine"}
    assert {name: theirs[name] for name in ours if name in theirs}.items() <= ours.items()


def test_other_source_is_another_build(tmp_path, monkeypatch):
    go = tmp_path / "go"
    go.write_text(
        '#!/bin/sh\n[ "$1" = env ] && echo go1.99.0 && exit\n'
        'while [ "$1" != -o ]; do shift; done\ncat *.go > "$2/apiload"\n'
    )
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    module = tmp_path / "module"
    module.mkdir()
    for name in ("go.mod", "go.sum", "main.go"):
        (module / name).write_text(f"{name}\n")
    build = replace(APILOAD, module=module)
    first = build.built(print)
    assert (first / "apiload").read_text() == "main.go\n"
    (module / "other.go").write_text("other.go\n")
    second = build.built(print)
    assert first != second
    assert (second / "apiload").read_text() == "main.go\nother.go\n"
    assert build.built(print) == second
