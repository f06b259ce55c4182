"""What the shell completes, and what a lab that is not up says."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from lab.__main__ import main
from lab.commands import COMMANDS, completion, shell_integration
from lab.running.node_names import nodes
from lab.workspace import ROOT, Workspace


@pytest.fixture(autouse=True)
def _signals():
    """`main` takes SIGTERM for an interrupt; pytest does not."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class FakeLab:
    def __init__(self, account, known):
        self._account, self._known = account, known

    def nodes(self):
        return self._known

    def account(self):
        return self._account


@pytest.fixture
def known(account, instance):
    both = [replace(instance, id=f"i-{n}", name=f"local-etcd-{n}") for n in range(2)]
    return FakeLab(account, nodes(both, "local"))


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ([], ["up", "down", "logs"]),
        (["shell"], ["etcd-0", "etcd-1"]),
        (["logs"], ["etcd-0", "etcd-1"]),
        (["logs", "etcd-0"], list(completion.UNITS)),
        (["logs", "etcd-0", "etcd"], []),
        (["shell", "etcd-0"], []),
        (["partition"], ["eu-central-1a", "aws", "downloads"]),
        (["heal"], []),
        (["kubectl", "get"], []),
    ],
)
def test_names_complete(known, before, offered):
    assert completion.words(before, ["up", "down", "logs"], lambda: known) == offered


def test_the_lab_is_asked_only_where_its_names_may_come():
    def nobody():
        pytest.fail("asked the lab")

    assert completion.words(["heal"], [], nobody) == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands(tmp_path):
    script = tmp_path / "shell_integration.bash"
    script.write_text(shell_integration.bash(Workspace(ROOT, tmp_path / "a lab")))
    line = f". {script}; COMP_WORDS=(lab po); COMP_CWORD=1; _lab; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("power-cut power-restore\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["shell", "etcd-0"],
        ["kubectl", "get", "--all-namespaces", "pods"],
        ["logs", "etcd-0", "--follow"],
        ["kill", "etcd-0", "etcd"],
        ["power-cut", "etcd-0"],
        ["power-restore", "etcd-0"],
        ["isolate", "etcd-0"],
        ["partition", "eu-central-1a"],
        ["heal"],
    ],
)
def test_without_a_lab_one_sentence_says_so(tmp_path, capsys, arguments):
    assert main(["--state", str(tmp_path / "none"), *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: The lab is not up: start it with `make lab`.\n"
    assert not (tmp_path / "none").exists()


def test_a_state_that_is_no_directory_is_one_sentence(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("kept")
    for command in ("up", "status", "down"):
        assert main(["--state", str(file), command]) == 1
        assert capsys.readouterr().err == (
            f"error: {file} is no directory, and --state takes one.\n"
        )
    assert file.read_text() == "kept"


def test_every_command_but_the_shells_own_is_listed(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert (f"    {name} " in shown) == bool(command.description), name


HEAVY = {"boto3", "botocore", "grpc", "moto", "pulumi", "pydantic", "trustme"}


def imported(statement):
    """The heavy packages that a program has imported at its end."""
    program = f"import atexit, sys\natexit.register(lambda: print(*sys.modules))\n{statement}"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "lab" in done.stdout.split(), done.stderr
    return HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("words", [["--help"], ["env"], ["complete"], ["complete", "heal"]])
def test_what_asks_no_lab_answers_without_heavy_imports(words):
    assert imported(f"from lab.__main__ import main\nmain({words})") == set()


def test_status_without_machines_needs_no_heavy_imports():
    assert imported("import lab.commands.lab_status") == set()


@pytest.mark.parametrize("module", ["machine_status", "access_commands", "fault_commands"])
def test_what_asks_the_lab_brings_nothing_but_boto3(module):
    assert imported(f"import lab.commands.{module}") == {"boto3", "botocore"}
