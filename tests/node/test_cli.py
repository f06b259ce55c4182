"""Command line of the node agent, as a person and the journal see it."""

import subprocess
import sys

import pytest

from node import cli


def test_help_has_a_line_for_each_command(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    for name, command in cli.COMMANDS.items():
        assert [name, command.help] in lines


@pytest.mark.parametrize(
    "line",
    [
        "",
        "frobnicate",
        "prepare twice",
        "release-lease",
        "snapshot --now",
        "restore",
        "restore a b",
        "restore --force latest",
        "restore --discard-newer-writes",
        # An abbreviation is no consent.
        "restore --discard latest",
    ],
)
def test_anything_else_is_a_usage_error(root, capsys, line):
    with pytest.raises(SystemExit) as ended:
        cli.main(line.split())
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: ha-node ")


def test_a_node_without_settings_says_so(root, capsys):
    assert cli.main(["report"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "node.json is missing or damaged" in said.err
    assert said.err.endswith("replace this node\n")


@pytest.mark.parametrize("line", ["snapshot", "restore latest", "defrag"])
def test_what_is_for_etcd_members_runs_on_no_other_node(node, capsys, line):
    node("api-0")
    assert cli.main(line.split()) == 1
    command = line.split()[0]
    assert capsys.readouterr().err == f"{command}: api-0 is no etcd member: run this on one\n"


@pytest.mark.parametrize(
    "line", ["release-lease kube-scheduler", "watch-leader", "liveness", "cluster-agent"]
)
def test_what_is_for_api_servers_runs_on_no_other_node(node, capsys, line):
    node("etcd-0")
    assert cli.main(line.split()) == 1
    command = line.split()[0]
    assert capsys.readouterr().err == f"{command}: etcd-0 is no API server: run this on one\n"


def test_every_command_has_a_module_that_runs_on_every_tier_that_it_is_for():
    for command in cli.COMMANDS.values():
        assert callable(cli.import_module(command.module).run)
        assert (command.tier is None) == (command.worker is not None)


def test_a_command_line_is_read_without_what_commands_need():
    """A timer starts one every minute, on small machines."""
    code = "import sys, node.cli; node.cli.parser(); sys.exit('boto3' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
