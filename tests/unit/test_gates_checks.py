"""Looks over time, against an account that tests write into."""

import json

import pytest

from components.gates.aws_reader import Parameter
from components.gates.checks import Checks
from components.gates.verdict import Pass, Wait

NAMES = ["etcd-0", "etcd-1", "etcd-2", "etcd-3"]


class Account:
    """The reports of three members and one that leaves; every check sees what `write` wrote."""

    def __init__(self):
        self.stored, self.stopped, self.versions = {}, set(), 0
        self.balanced = {}
        self.write("/test/etcd/formation", {"formed": True})

    def write(self, name, document):
        self.versions += 1
        self.stored[name] = Parameter(json.dumps(document), self.versions)

    def report(self, *silent, state="member", members=("etcd-0", "etcd-1", "etcd-2")):
        for name in NAMES:
            if name not in silent:
                said = {
                    "state": state if name == "etcd-3" else "member",
                    "leader": name == "etcd-0",
                    "healthy": True,
                    "members": dict.fromkeys(members, "voter"),
                }
                self.write(f"/test/nodes/{name}/status", said)

    def parameters(self, names):
        return {name: self.stored[name] for name in names if name in self.stored}

    def targets(self, group_arn):
        return dict(self.balanced)

    def runs(self, instance_id):
        return instance_id not in self.stopped


@pytest.fixture
def account():
    account = Account()
    account.report(state="left")
    return account


@pytest.fixture
def checks(account):
    return Checks(cluster="test", members=frozenset(NAMES[:3]), api_size=3, cloud=account)


def test_a_replacement_waits_for_reports_of_after_it_began(account, checks):
    check = checks.member("etcd-1", "i-1")
    assert isinstance(check(), Wait)
    account.report("etcd-2")
    assert check() == Wait(("etcd-2 has not reported since this update began",))
    account.report("etcd-1")
    assert isinstance(check(), Pass), "its own report is of no matter"


def test_the_machine_of_a_member_whose_disk_was_just_taken_does_not_wait_anew(account, checks):
    attachment = checks.member("etcd-1", "i-1")
    attachment()
    account.report()
    assert isinstance(attachment(), Pass)
    account.stopped.add("i-1")
    assert isinstance(checks.member("etcd-1", "i-1")(), Pass), "though nobody reported meanwhile"


def test_the_next_member_waits_for_the_one_before_it(account, checks):
    first = checks.member("etcd-0", "i-0")
    first()
    account.report()
    assert isinstance(first(), Pass)
    account.report("etcd-0")
    checks.is_back("etcd-0")
    after = checks.member("etcd-1", "i-1")
    after()
    account.report("etcd-0")
    assert isinstance(after(), Wait), "a report of before its replacement does not count"


def test_who_left_is_not_asked_again_for_its_machine_and_its_disk(account, checks):
    attachment = checks.member("etcd-3", "i-3")
    assert isinstance(attachment(), Wait), "a report that it left may be of an earlier life"
    account.report(state="left")
    assert isinstance(attachment(), Pass)
    account.stored.clear()
    assert isinstance(checks.member("etcd-3", "i-3")(), Pass)
    assert isinstance(checks.disk("etcd-3")(), Pass)


def test_a_wait_does_not_count_as_having_left(account, checks):
    check = checks.member("etcd-3", "i-3")
    check()
    account.report(state="member", members=NAMES)
    assert isinstance(check(), Wait)
    assert isinstance(checks.disk("etcd-3")(), Wait)


def test_a_resumed_update_asks_the_leader_for_a_machine_that_is_off(account, checks):
    check = checks.member("etcd-3", "i-3")
    account.stopped.add("i-3")
    check()
    account.report("etcd-3", members=NAMES)
    assert isinstance(check(), Wait)
    account.report("etcd-3")
    assert isinstance(check(), Pass)


def test_of_two_replacements_at_once_the_second_waits_for_the_first_to_be_back(account, checks):
    one, other = checks.member("etcd-0", "i-0"), checks.member("etcd-1", "i-1")
    one()
    other()
    account.report()
    assert isinstance(one(), Pass)
    assert other() == Wait(("etcd-0 is being replaced",))
    account.report()  # the last one of the machine that goes
    assert other() == Wait(("etcd-0 is being replaced",))
    checks.is_back("etcd-0")
    assert isinstance(other(), Wait), "nothing of before counts"
    account.report("etcd-0")
    assert isinstance(other(), Wait)
    account.report()
    assert isinstance(other(), Pass)


def test_api_servers_that_go_at_once_do_not_count_on_each_other(account, checks):
    old, new = [f"10.0.0.{n}" for n in range(3)], [f"10.0.1.{n}" for n in range(3)]
    account.balanced = dict.fromkeys(old, "healthy") | dict.fromkeys(new, "initial")
    gates = [checks.target("arn", address) for address in old]
    assert [type(gate()) for gate in gates] == [Pass, Wait, Wait]
    account.balanced[new[0]] = "healthy"
    assert [type(gate()) for gate in gates[1:]] == [Pass, Wait]
    account.balanced[new[1]] = "healthy"
    assert isinstance(gates[2](), Pass)


def test_a_server_is_not_drained_until_the_balancer_forgets_it(account, checks):
    account.balanced = dict.fromkeys(["10.0.0.1", "10.0.0.2", "10.0.0.3"], "healthy")
    assert isinstance(checks.target("arn", "10.0.0.1")(), Pass)
    machine = checks.server("arn", "10.0.0.1")
    account.balanced["10.0.0.1"] = "draining"
    assert machine() == Wait(("its target 10.0.0.1 is not drained yet (draining)",))
    del account.balanced["10.0.0.1"]
    assert isinstance(machine(), Pass)
