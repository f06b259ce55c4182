"""Fetching of the node agent: once, as a whole, and the one that user data names."""

import fcntl
import hashlib
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from components.userdata.agent_archive import zip_archive
from components.userdata.files import fetch_agent
from tests.node.doubles import Quiet, serve
from tests.node.fetcher_process import FETCHER, fetch, identity

MODULES = {
    "node/__main__.py": "print('one')\n",
    "node/etcd/__init__.py": "",
    "node/etcd/b.py": "B=1\n",
}
OTHER = {"node/__main__.py": "print('two')\n"}


@pytest.fixture
def wanted(bucket, s3, node):
    """Have a node want an archive; it is stored unless another content is to be in its place."""

    def want(content, stored=None):
        agent = identity(bucket, content)
        s3.put_object(Bucket=bucket, Key=agent["key"], Body=content if stored is None else stored)
        node("api-0", agent=agent)
        return agent

    return want


@pytest.fixture
def library(root):
    return root / "usr/local/lib/ha-kubernetes"


def tree(directory):
    """Every file below a directory, or below the one that it is a link to."""
    top = directory.resolve()
    return {
        f"node/{path.relative_to(top)}": path.read_text()
        for path in top.rglob("*")
        if path.is_file()
    }


def test_it_is_installed_where_its_units_run_it(wanted, library):
    agent = wanted(zip_archive(MODULES))
    done = fetch()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"node-agent: installed {agent['sha256']}\n"
    assert tree(library / "node") == MODULES
    ran = subprocess.run([sys.executable, library / "node"], capture_output=True, check=True)
    assert ran.stdout == b"one\n"


def test_users_of_daemons_may_read_it_whoever_fetched_it(wanted, library):
    wanted(zip_archive(MODULES))
    assert fetch(umask=0o077).returncode == 0
    for path in (library / "agents").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_a_reboot_asks_nothing_of_aws(wanted, library, aws_down):
    agent = wanted(zip_archive(MODULES))
    assert fetch().returncode == 0
    before = tree(library)
    aws_down()
    done = fetch()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"node-agent: {agent['sha256']} was in place\n"
    assert tree(library) == before


def test_a_first_boot_without_aws_leaves_nothing_and_the_next_attempt_works(
    wanted, library, aws_down, monkeypatch, moto_url
):
    agent = wanted(zip_archive(MODULES))
    aws_down()
    done = fetch()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"node-agent: cannot download s3://test-bucket/{agent['key']}: Could not connect"
    )
    assert done.stderr.endswith("if the object is gone pulumi up --refresh stores it again\n")
    assert done.stderr.count("\n") == 1
    assert not library.exists()
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    assert fetch().returncode == 0
    assert tree(library / "node") == MODULES


def test_an_object_that_is_gone_is_named(bucket, node, library):
    agent = identity(bucket, b"never stored")
    node("api-0", agent=agent)
    done = fetch()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"s3://{bucket}/{agent['key']}: " in done.stderr
    assert "NoSuchKey" in done.stderr
    assert "pulumi up --refresh" in done.stderr
    assert not library.exists()


def test_another_content_is_refused(wanted, library):
    agent = wanted(zip_archive(MODULES), stored=zip_archive(OTHER))
    done = fetch()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"node-agent: s3://test-bucket/{agent['key']} has the SHA-256 "
        f"{hashlib.sha256(zip_archive(OTHER)).hexdigest()}, not {agent['sha256']}: it is damaged or "
        "was overwritten; delete it and run pulumi up --refresh, which stores it again\n"
    )
    assert not library.exists()


def test_a_download_that_breaks_off_is_none(wanted, library, monkeypatch):
    content = zip_archive(MODULES)
    wanted(content)

    class Interrupted(Quiet):
        def do_GET(self):
            self.reply(200, content[:50], length=len(content))

    with serve(Interrupted) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        done = fetch()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("node-agent: cannot download s3://")
    assert done.stderr.count("\n") == 1
    assert not library.exists()


def refusal(capsys):
    """What the fetcher complains of, in this process: starting one for each case takes long."""
    capsys.readouterr()
    assert fetch_agent.main() == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    return output.err


def zipped(**changes):
    """An archive that holds one entry besides a good one; `changes` are the entry's attributes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("node/__main__.py", "")
        entry = zipfile.ZipInfo("entry")
        for name, value in changes.items():
            setattr(entry, name, value)
        file.writestr(entry, "hostile")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/evil.py",
        "node/../../evil.py",
        "/etc/evil.py",
        "node//evil.py",
        "node/./evil.py",
        "node\\..\\evil.py",
        "node/evil.pyc",
        "node/evil.sh",
        "other/evil.py",
        "node.py",
        "node/",
        "node/evil.py\n",
    ],
)
def test_an_archive_that_holds_anything_but_modules_is_refused(wanted, library, root, capsys, name):
    before = {path for path in root.rglob("*") if path != library}
    wanted(zipped(filename=name))
    said = refusal(capsys)
    assert f"holds {name!r}, which is no module of the node agent" in said
    assert "run pulumi up from a clean checkout" in said
    assert not (library / "node").is_symlink()
    assert {p.name for p in root.rglob("*")} - {p.name for p in before} <= {
        *("api", "usr", "local", "lib", "ha-kubernetes", "agents", "lock"),
        *("etc", "node.json"),
    }


def test_a_link_in_an_archive_becomes_a_file(wanted, library):
    wanted(zipped(filename="node/link.py", external_attr=0o120777 << 16, create_system=3))
    assert fetch_agent.main() == 0
    assert not (library / "node/link.py").is_symlink()
    assert (library / "node/link.py").read_text() == "hostile"


@pytest.mark.parametrize("content", [b"", b"no archive at all", zip_archive(MODULES)[:-30]])
def test_what_is_no_archive_is_refused(wanted, library, capsys, content):
    wanted(content)
    said = refusal(capsys)
    assert "is no archive of the node agent" in said
    assert not (library / "node").is_symlink()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"region": "eu-central-1"}', '{"region": "x", "agent": {"key": "x"}}'],
)
def test_a_node_without_settings_says_so(root, capsys, text):
    path = root / "etc/ha-kubernetes/node.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    said = refusal(capsys)
    assert said.startswith(f"node-agent: {path} is missing or damaged (")
    assert said.endswith("; replace this node\n")


class Stopped(BaseException):
    """The process ends here: no handler of the program sees it."""


CHANGES = ("mkdir", "rename", "replace", "symlink", "unlink", "rmdir", "fsync")


def stop_before(monkeypatch, number):
    """End the program before the change of that number."""
    left = [number]

    def stopping(original):
        def change(*arguments, **options):
            # The emulator's threads are not the program.
            if threading.current_thread() is threading.main_thread():
                if left[0] == 0:
                    raise Stopped
                left[0] -= 1
            return original(*arguments, **options)

        return change

    for name in CHANGES:
        monkeypatch.setattr(os, name, stopping(getattr(os, name)))


def finishes_before(monkeypatch, number):
    """Whether the program is done before the change of that number."""
    with monkeypatch.context() as patched:
        stop_before(patched, number)
        try:
            assert fetch_agent.main() == 0
        except Stopped:
            return False
        return True


@pytest.mark.parametrize("before", [None, OTHER], ids=["first", "second"])
def test_whenever_it_is_stopped_the_agent_is_whole_and_the_next_run_completes_it(
    wanted, s3, library, monkeypatch, before
):
    # Making a client takes ten times as long as all else.
    monkeypatch.setattr("boto3.client", lambda *_arguments, **_options: s3)

    def start():
        shutil.rmtree(library, ignore_errors=True)
        if before is not None:
            wanted(zip_archive(before))
            assert fetch_agent.main() == 0
        wanted(zip_archive(MODULES))

    def in_place():
        return tree(library / "node") if (library / "node").exists() else None

    seen = []
    for number in itertools.count():
        start()
        if finishes_before(monkeypatch, number):
            break
        seen.append(in_place())
        assert seen[-1] in (before, MODULES), number
        assert fetch_agent.main() == 0
        assert in_place() == MODULES, number
        assert not list(library.glob("**/.*")), number
    assert before in seen
    assert MODULES in seen
    assert len(seen) > 10


def test_a_second_run_waits_for_the_first_and_keeps_what_it_installed(wanted, library):
    agent = wanted(zip_archive(MODULES))
    lock = library / "agents/lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, "-I", FETCHER], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        _await_waiting(second)
        assert not (library / "node").exists()
        marked = library / "agents" / agent["sha256"] / "node"
        marked.mkdir(parents=True)
        (marked / "first.py").write_text("")
    out, _ = second.communicate()
    assert (second.returncode, out) == (0, f"node-agent: installed {agent['sha256']}\n")
    assert (library / "node/first.py").exists()


def _await_waiting(process):
    """Until a process waits for a lock, as the kernel lists it."""
    while process.poll() is None:
        locks = Path("/proc/locks").read_text().splitlines()
        if any("->" in line and f" {process.pid} " in line for line in locks):
            return
        time.sleep(0.01)
    pytest.fail("it did not wait")


def test_document_of_the_node_is_what_the_user_data_says(wanted, root):
    agent = wanted(zip_archive(MODULES))
    document = json.loads((root / "etc/ha-kubernetes/node.json").read_text())
    assert fetch_agent.read_settings() == (document["region"], agent)
