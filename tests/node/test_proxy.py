"""An API node: HAProxy follows the membership."""

import json

import pytest

from node.api import proxy, proxy_socket
from node.api.haproxy import render
from node.errors import NodeError
from node.membership import Member
from tests.node.doubles import FakeMachine

THREE = [{"name": f"etcd-{n}", "address": f"10.0.224.{4 + n}"} for n in range(3)]
FIVE = [
    *THREE,
    {"name": "etcd-3", "address": "10.0.224.7"},
    {"name": "etcd-4", "address": "10.0.224.8"},
]
RELOAD = "reload etcd-proxy.service"


@pytest.fixture
def machine():
    return FakeMachine()


@pytest.fixture
def config(root):
    return root / "etc/ha-kubernetes/etcd-proxy.cfg"


@pytest.fixture
def settings(node, aws):
    return node("api-0")


def desire(aws, members):
    aws.put_parameter(
        Name="/test/etcd/members", Value=json.dumps(members), Type="String", Overwrite=True
    )


@pytest.fixture
def haproxy(tmp_path, monkeypatch):
    """A haproxy that answers as told, and what it was asked to check."""

    def install(status):
        tool = tmp_path / "haproxy"
        tool.write_text(
            f'#!/bin/sh\ncat "$3" >> {tmp_path}/checked\necho "[ALERT] no such thing" >&2\nexit {status}\n'
        )
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        return tmp_path / "checked"

    return install


def test_it_is_started_with_the_membership_until_it_runs(aws, settings, machine, config):
    desire(aws, THREE)
    assert proxy.run(settings, machine) == "started HAProxy with etcd-0, etcd-1, etcd-2"
    assert config.read_text() == render([Member(**m) for m in THREE])
    assert config.stat().st_mode & 0o777 == 0o644
    assert machine.calls == [RELOAD]

    desire(aws, FIVE)
    proxy.run(settings, machine)
    assert config.read_text() == render([Member(**m) for m in FIVE])
    assert machine.calls == [RELOAD, RELOAD]


@pytest.mark.parametrize("answer", ["Permission denied", "2\n# a b\n", ""])
def test_an_answer_that_is_none_is_one_sentence(aws, settings, machine, monkeypatch, answer):
    desire(aws, THREE)
    monkeypatch.setattr(proxy_socket, "ask", lambda _command: answer)
    with pytest.raises(
        NodeError, match=r"^HAProxy says: .+: run systemctl restart etcd-proxy.service$"
    ):
        proxy.run(settings, machine)
    assert machine.calls == []


def test_without_aws_it_stays_as_it_is(aws, settings, machine, config, aws_down):
    desire(aws, THREE)
    proxy.run(settings, machine)
    before = config.read_text()
    aws_down()
    said = proxy.run(settings, machine)
    assert said.startswith("kept the etcd members that HAProxy has: AWS: Could not connect")
    assert config.read_text() == before
    assert machine.calls == [RELOAD]


def test_without_aws_at_the_first_boot_it_is_a_fault(settings, machine, config, aws_down):
    aws_down()
    with pytest.raises(NodeError, match="Could not connect"):
        proxy.run(settings, machine)
    assert not config.exists()


@pytest.mark.parametrize("members", [[], {}, [{"name": "etcd-0"}], 3, None])
def test_a_membership_that_is_none_is_not_served(aws, settings, machine, config, members):
    desire(aws, THREE)
    proxy.run(settings, machine)
    before = config.read_text()
    desire(aws, members)
    with pytest.raises(NodeError, match=r"members parameter is (empty|damaged)"):
        proxy.run(settings, machine)
    assert config.read_text() == before
    assert machine.calls == [RELOAD]


def test_text_that_is_no_json_is_named(aws, settings, machine):
    aws.put_parameter(Name="/test/etcd/members", Value="etcd-0", Type="String")
    with pytest.raises(NodeError, match="/test/etcd/members is not JSON: run pulumi up"):
        proxy.run(settings, machine)


def test_what_haproxy_refuses_does_not_replace_what_works(aws, settings, machine, config, haproxy):
    checked = haproxy(status=0)
    desire(aws, THREE)
    proxy.run(settings, machine)
    before = config.read_text()
    assert checked.read_text() == before
    haproxy(status=1)
    desire(aws, FIVE)
    with pytest.raises(NodeError, match=r"haproxy failed \(1\): \[ALERT\] no such thing"):
        proxy.run(settings, machine)
    assert config.read_text() == before
    assert machine.calls == [RELOAD]


def test_stopped_before_the_start_the_next_run_starts_it(aws, settings, machine, config):
    class Killed(BaseException):
        pass

    class Mortal(FakeMachine):
        def reload(self, unit):
            raise Killed

    desire(aws, THREE)
    with pytest.raises(Killed):
        proxy.run(settings, Mortal())
    assert config.exists()
    proxy.run(settings, machine)
    assert machine.calls == [RELOAD]
