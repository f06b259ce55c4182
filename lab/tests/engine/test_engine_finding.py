"""Where the engine looks for its parts, what it keeps, and what it says when a part is missing."""

import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from lab.engine.aws import mirror
from lab.engine.aws.mirror import find_provider, machine
from lab.engine.cache import digest, published
from lab.engine.installation import install_official, install_stand_in
from lab.engine.model import EngineError
from lab.engine.official import official_cli, official_plugin

ADDRESS = Path("registry.terraform.io/hashicorp/aws")


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A user without anything of Terraform or Pulumi."""
    for name in ("TF_PLUGIN_DIR", "TF_CLI_CONFIG_FILE", "XDG_DATA_HOME", "PULUMI_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    only = (tmp_path / "home", tmp_path / "share", tmp_path / "trees")
    candidates = mirror.candidate_directories
    monkeypatch.setattr(
        mirror,
        "candidate_directories",
        lambda: [d for d in candidates() if any(d.is_relative_to(one) for one in only)],
    )
    (tmp_path / "bin").mkdir()
    return tmp_path


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def unpacked(directory: Path, version: str = "5.100.0") -> Path:
    name = f"terraform-provider-aws_v{version}_x5"
    return executable(directory / ADDRESS / version / machine() / name)


def test_nothing_installed_is_one_sentence_that_says_what_to_install(bare):
    with pytest.raises(EngineError) as problem:
        find_provider("7.51.1")
    text = str(problem.value)
    assert "pulumi plugin install resource aws 7.51.1" in text
    assert "TF_PLUGIN_DIR" in text
    assert "\n" not in text


def test_the_named_directory_wins_over_the_users_own(bare, monkeypatch):
    own = unpacked(bare / "home/.terraform.d/plugins")
    assert find_provider("7").binary == own
    named = unpacked(bare / "trees/named")
    monkeypatch.setenv("TF_PLUGIN_DIR", str(bare / "trees/named"))
    assert find_provider("7").binary == named


def test_shared_data_directories_are_searched(bare):
    shared = unpacked(bare / "share/terraform/plugins")
    assert find_provider("7").binary == shared


def test_a_mirror_of_the_cli_configuration_is_searched(bare, monkeypatch):
    configured = unpacked(bare / "trees/mirror")
    config = bare / "terraform.rc"
    config.write_text(
        '# path = "/nowhere"\nprovider_installation {\n  filesystem_mirror {\n'
        f'    path = "{bare}/trees/mirror"\n  }}\n}}\n'
    )
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    assert find_provider("7").binary == configured


def test_version_5_is_wanted_most_and_then_the_newest(bare):
    directory = bare / "home/.terraform.d/plugins"
    for version in ("5.9.0", "5.100.0", "6.2.0"):
        unpacked(directory, version)
    assert find_provider("7").version == "5.100.0"


def test_another_machines_provider_does_not_count(bare):
    binary = unpacked(bare / "home/.terraform.d/plugins")
    binary.parent.rename(binary.parent.with_name("plan9_mips"))
    with pytest.raises(EngineError):
        find_provider("7")


def test_a_packed_mirror_is_unpacked_once(bare):
    archive = bare / "home/.terraform.d/plugins" / ADDRESS
    archive.mkdir(parents=True)
    packed = archive / f"terraform-provider-aws_5.100.0_{machine()}.zip"
    with zipfile.ZipFile(packed, "w") as content:
        content.writestr("terraform-provider-aws_v5.100.0_x5", "binary")
    found = find_provider("7")
    assert (found.version, found.binary.read_text()) == ("5.100.0", "binary")
    assert os.access(found.binary, os.X_OK)
    before = found.binary.stat().st_mtime_ns
    assert find_provider("7").binary.stat().st_mtime_ns == before


def test_an_official_plugin_counts_when_it_is_complete_and_of_the_version(bare):
    plugin = bare / "home/.pulumi/plugins/resource-aws-v7.51.1"
    executable(plugin / "pulumi-resource-aws", "official")
    home = bare / "lab"
    assert official_plugin("aws", "7.51.1", home) == plugin
    assert official_plugin("aws", "7.51.2", home) is None
    assert official_plugin("tls", "7.51.1", home) is None
    plugin.with_name(plugin.name + ".partial").touch()
    assert official_plugin("aws", "7.51.1", home) is None


def test_what_a_lab_has_installed_itself_is_not_official(bare, monkeypatch):
    """In a shell of the lab PULUMI_HOME is the lab's own, and a link to itself starts nothing."""
    for name, text in (("mine", "official"), ("another", "#!/bin/sh\n")):
        monkeypatch.setenv("PULUMI_HOME", str(bare / name))
        plugin = bare / name / "plugins/resource-aws-v7.51.1/pulumi-resource-aws"
        executable(plugin, text)
        assert official_plugin("aws", "7.51.1", bare / "mine") is None
        assert plugin.read_text() == text


def test_an_official_cli_is_used_and_a_broken_one_is_named(bare):
    assert official_cli() is None
    executable(bare / "bin/pulumi", "#!/bin/sh\necho v3.300.0\n")
    found = official_cli()
    assert found is not None
    assert (found.version, found.language_host) == ("v3.300.0", False)
    executable(bare / "bin/pulumi-language-python")
    assert official_cli().language_host
    executable(bare / "bin/pulumi", "#!/bin/sh\nexit 1\n")
    with pytest.raises(EngineError, match=r"not a working Pulumi CLI .* take it off PATH$"):
        official_cli()


def test_an_official_plugin_is_linked_into_the_home(bare):
    source = bare / "plugin"
    executable(source / "pulumi-resource-aws", "official")
    install_official(bare / "lab", "resource", "aws", "7.51.1", source)
    install_official(bare / "lab", "resource", "aws", "7.51.1", source)
    installed = bare / "lab/plugins/resource-aws-v7.51.1/pulumi-resource-aws"
    assert installed.read_text() == "official"


def test_a_stand_in_runs_its_module_with_arguments_that_need_quoting(tmp_path):
    install_stand_in(
        tmp_path, "resource", "x", "1.0.0", module="tests.engine_stand_in", arguments=["a b", "'"]
    )
    script = tmp_path / "plugins/resource-x-v1.0.0/pulumi-resource-x"
    assert os.access(script, os.X_OK)
    result = subprocess.run([script, "--flag"], capture_output=True, text=True, check=False)
    assert "tests.engine_stand_in" in result.stderr, "it got as far as importing the module"
    assert sys.executable in script.read_text()


def test_a_cached_directory_is_built_once_even_by_builders_at_the_same_time(tmp_path):
    built = []
    start = threading.Barrier(4)

    def build(work: Path) -> None:
        built.append(work)
        (work / "file").write_text("content")

    def run() -> None:
        start.wait()
        assert (published(tmp_path / "entry", build) / "file").read_text() == "content"

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


def test_a_failed_or_killed_build_leaves_nothing_that_looks_finished(tmp_path):
    def broken(work: Path) -> None:
        (work / "half").write_text("")
        raise EngineError("no")

    with pytest.raises(EngineError):
        published(tmp_path / "entry", broken)
    assert not (tmp_path / "entry").exists()
    killed = tmp_path / "entry.building-killed"
    killed.mkdir()
    published(tmp_path / "entry", lambda work: (work / "file").touch())
    assert (tmp_path / "entry/file").exists()
    assert not killed.exists()


def test_a_digest_knows_where_one_input_ends():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")
