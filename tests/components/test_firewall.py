import re
from pathlib import Path

from components.network.security_group_rules import NatGateway, groups, rules
from components.network.security_groups import SecurityGroups, SecurityGroupsArgs
from config import check
from tests.unit.ssh_keygen import ed25519


def opened(settings):
    """(group, direction, traffic, peer) of every rule."""
    return {(r.group, r.direction, str(r.traffic), str(r.peer)) for r in rules(settings, ())}


DEFAULT = {
    ("etcd", "ingress", "2379", "api"),
    ("etcd", "ingress", "2380", "etcd"),
    ("etcd", "ingress", "2381", "api"),
    ("api", "ingress", "6443", "balancer"),
    ("api", "ingress", "6443", "workers"),
    ("balancer", "ingress", "6443", "10.0.0.0/16"),
    ("balancer", "ingress", "6443", "api"),
    ("balancer", "ingress", "6443", "workers"),
    ("workers", "ingress", "tcp", "api"),
    ("workers", "ingress", "all", "workers"),
    ("api", "egress", "2379", "etcd"),
    ("api", "egress", "2381", "etcd"),
    ("api", "egress", "6443", "balancer"),
    ("api", "egress", "tcp", "workers"),
    ("etcd", "egress", "2380", "etcd"),
    ("balancer", "egress", "6443", "api"),
    ("workers", "egress", "6443", "api"),
    ("workers", "egress", "6443", "balancer"),
    ("workers", "egress", "all", "workers"),
    ("etcd", "egress", "443", "0.0.0.0/0"),
    ("api", "egress", "443", "0.0.0.0/0"),
    ("workers", "egress", "443", "0.0.0.0/0"),
    ("etcd", "egress", "80", "0.0.0.0/0"),
    ("api", "egress", "80", "0.0.0.0/0"),
    ("workers", "egress", "80", "0.0.0.0/0"),
}


def test_the_table_of_the_defaults():
    settings = check({}, stack="t")
    assert groups(settings) == ("etcd", "api", "balancer", "workers")
    assert opened(settings) == DEFAULT


def test_keys_name_rules_for_life_and_once():
    for values in (
        {},
        {"operatorAccess": "instance-connect", "operatorKeys": [ed25519()]},
        {"api": {"internal": False, "allowedCidrs": ["0.0.0.0/0", "10.0.0.0/16"]}},
        # One CIDR in several settings is one rule: AWS refuses the second.
        {"network": {"workerCidrs": ["10.0.0.0/16"]}},
        {
            "network": {"workerCidrs": ["192.0.2.0/24"]},
            "api": {"allowedCidrs": ["192.0.2.0/24"]},
        },
        {"artifacts": {"mirror": "https://mirror.internal:80"}},
        {"artifacts": {"mirror": "https://mirror.internal:443"}},
    ):
        table = rules(check(values, stack="t"), ("eu-central-1a", "eu-central-1b"))
        assert len({rule.key for rule in table}) == len(table)


def test_named_people_replace_the_vpc_and_never_the_nodes():
    people = ["192.0.2.0/24", "198.51.100.7/32"]
    settings = check({"api": {"allowedCidrs": people}}, stack="t")
    clients = {
        peer for group, way, _, peer in opened(settings) if (group, way) == ("balancer", "ingress")
    }
    assert clients == {*people, "api", "workers"}


def test_no_ssh_unless_asked_for():
    assert not any(port == "22" for _, _, port, _ in opened(check({}, stack="t")))


def test_ssh_comes_from_the_instance_connect_endpoint_alone():
    settings = check({"operatorAccess": "instance-connect", "operatorKeys": [ed25519()]}, stack="t")
    assert groups(settings) == ("etcd", "api", "balancer", "workers", "operator")
    machines = ("etcd", "api", "workers")
    assert opened(settings) - DEFAULT == {
        *((machine, "ingress", "22", "operator") for machine in machines),
        *(("operator", "egress", "22", machine) for machine in machines),
    }


def test_without_nat_the_aws_apis_are_reached_through_their_endpoints():
    settings = check(
        {
            "network": {"nat": "none"},
            "ami": "ami-0123456789abcdef0",
            "artifacts": {"mirror": "https://mirror.internal"},
        },
        stack="t",
    )
    assert groups(settings) == ("etcd", "api", "balancer", "workers", "endpoints")
    table = opened(settings)
    assert table - DEFAULT == {("endpoints", "ingress", "443", "10.0.0.0/16")}
    assert not any(port == "80" for _, _, port, _ in table)


def test_every_open_port_of_a_group_has_both_ends():
    table = opened(
        check({"operatorAccess": "instance-connect", "operatorKeys": [ed25519()]}, stack="t")
    )
    for group, direction, port, peer in table:
        if "." not in peer:
            other = "egress" if direction == "ingress" else "ingress"
            assert (peer, other, port, group) in table


def test_groups_and_rules_become_resources(deploy):
    settings = check({}, stack="t")
    args = SecurityGroupsArgs(
        vpc_id="vpc-1", groups=groups(settings), rules=rules(settings), tags={"team": "a"}
    )
    firewall = deploy(lambda: SecurityGroups("fw", args) and None)
    assert firewall.loose() == []
    assert firewall.of("SecurityGroup") == {
        f"fw-{group}": {
            "description": f"{group} of fw",
            "vpcId": "vpc-1",
            "tags": {"team": "a", "Name": f"fw-{group}"},
        }
        for group in ("api", "balancer", "etcd", "workers")
    }
    ingress, egress = (
        firewall.of("SecurityGroupIngressRule"),
        firewall.of("SecurityGroupEgressRule"),
    )
    assert len(ingress) + len(egress) == len(DEFAULT)
    assert ingress["fw-etcd-ingress-2379-api"] == {
        "securityGroupId": "fw-etcd-id",
        "ipProtocol": "tcp",
        "fromPort": 2379,
        "toPort": 2379,
        "referencedSecurityGroupId": "fw-api-id",
        "description": "etcd clients, from api",
        "tags": {"team": "a", "Name": "fw-etcd-ingress-2379-api"},
    }
    assert egress["fw-etcd-egress-443-0.0.0.0-0"]["cidrIpv4"] == "0.0.0.0/0"
    assert "referencedSecurityGroupId" not in egress["fw-etcd-egress-443-0.0.0.0-0"]
    any_port = egress["fw-api-egress-tcp-workers"]
    assert (any_port["ipProtocol"], any_port["fromPort"], any_port["toPort"]) == ("tcp", 0, 65535)
    # AWS refuses ports beside the protocol of everything.
    everything = ingress["fw-workers-ingress-all-workers"]
    assert everything["ipProtocol"] == "-1"
    assert not {"fromPort", "toPort"} & set(everything)
    assert firewall.component_outputs("SecurityGroups", "fw") == {
        "groupIds": {group: f"fw-{group}-id" for group in ("api", "balancer", "etcd", "workers")}
    }


DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"
EVERY_SETTING = (
    {},
    {
        "operatorAccess": "instance-connect",
        "operatorKeys": [ed25519()],
        "network": {"workerCidrs": ["100.64.0.0/16"]},
        "artifacts": {"mirror": "https://mirror.internal:8443"},
        "api": {"internal": False, "allowedCidrs": ["192.0.2.0/24"]},
    },
    {
        "network": {"nat": "none"},
        "ami": "ami-0123456789abcdef0",
        "artifacts": {"mirror": "https://mirror.internal:8443"},
    },
)
WORDS = {
    "100.64.0.0/16": "`network.workerCidrs`",
    "192.0.2.0/24": "`api.allowedCidrs`",
    "10.0.0.0/16": "the VPC",
    "0.0.0.0/0": "anywhere",
    "8443": "the mirror's",
    "tcp": "all TCP",
    "balancer": "load balancer",
}


def test_the_ports_table_of_the_documentation_is_the_rules():
    section = DOCUMENT.read_text().split("## Ports")[1].split("\n#")[0]
    cells = [re.split(r" *\| *", line)[1:-1] for line in section.splitlines() if line[:1] == "|"]
    written = {
        (server, port, client)
        for servers, port, clients, *_ in cells[2:]
        for server in servers.split(", ")
        for client in clients.split(", ")
    }
    enforced = set()
    for values in EVERY_SETTING:
        for rule in rules(check(values, stack="t"), ("eu-central-1a",)):
            nat = isinstance(rule.peer, NatGateway)
            peer = "NAT gateways" if nat else WORDS.get(str(rule.peer), str(rule.peer))
            group = WORDS.get(rule.group, rule.group)
            ends = (group, peer) if rule.direction == "ingress" else (peer, group)
            enforced.add((ends[0], WORDS.get(str(rule.traffic), str(rule.traffic)), ends[1]))
    assert written == enforced
