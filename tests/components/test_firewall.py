from components.firewall import Firewall, FirewallArgs
from components.firewall_rules import groups, rules
from config import check
from tests.unit.public_keys import ed25519


def opened(settings):
    """(group, direction, port, peer) of every rule."""
    return {(r.group, r.direction, r.port, r.peer or r.cidr) for r in rules(settings)}


DEFAULT = {
    ("etcd", "ingress", 2379, "api"),
    ("etcd", "ingress", 2380, "etcd"),
    ("etcd", "ingress", 2381, "api"),
    ("api", "ingress", 6443, "balancer"),
    ("balancer", "ingress", 6443, "10.0.0.0/16"),
    ("api", "egress", 2379, "etcd"),
    ("api", "egress", 2381, "etcd"),
    ("etcd", "egress", 2380, "etcd"),
    ("balancer", "egress", 6443, "api"),
    ("api", "egress", 10250, "10.0.0.0/16"),
    ("etcd", "egress", 443, "0.0.0.0/0"),
    ("api", "egress", 443, "0.0.0.0/0"),
    ("etcd", "egress", 80, "0.0.0.0/0"),
    ("api", "egress", 80, "0.0.0.0/0"),
}


def test_the_table_of_the_defaults():
    settings = check({}, stack="t")
    assert groups(settings) == ("etcd", "api", "balancer")
    assert opened(settings) == DEFAULT


def test_keys_name_rules_for_life_and_once():
    for values in (
        {},
        {"operatorAccess": "instance-connect", "operatorKeys": [ed25519()]},
        {"api": {"internal": False, "allowedCidrs": ["0.0.0.0/0", "10.0.0.0/16"]}},
    ):
        table = rules(check(values, stack="t"))
        assert len({rule.key for rule in table}) == len(table)


def test_only_named_clients_reach_the_balancer():
    settings = check({"api": {"allowedCidrs": ["192.0.2.0/24", "198.51.100.7/32"]}}, stack="t")
    clients = {
        peer for group, way, _, peer in opened(settings) if (group, way) == ("balancer", "ingress")
    }
    assert clients == {"192.0.2.0/24", "198.51.100.7/32"}


def test_no_ssh_unless_asked_for():
    assert not any(port == 22 for _, _, port, _ in opened(check({}, stack="t")))


def test_ssh_comes_from_the_instance_connect_endpoint_alone():
    settings = check({"operatorAccess": "instance-connect", "operatorKeys": [ed25519()]}, stack="t")
    assert groups(settings) == ("etcd", "api", "balancer", "operator")
    assert opened(settings) - DEFAULT == {
        ("etcd", "ingress", 22, "operator"),
        ("api", "ingress", 22, "operator"),
        ("operator", "egress", 22, "etcd"),
        ("operator", "egress", 22, "api"),
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
    assert groups(settings) == ("etcd", "api", "balancer", "endpoints")
    table = opened(settings)
    assert table - DEFAULT == {
        ("endpoints", "ingress", 443, "etcd"),
        ("endpoints", "ingress", 443, "api"),
        ("etcd", "egress", 443, "endpoints"),
        ("api", "egress", 443, "endpoints"),
    }
    assert not any(port == 80 for _, _, port, _ in table)


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
    args = FirewallArgs(
        vpc_id="vpc-1", groups=groups(settings), rules=rules(settings), tags={"team": "a"}
    )
    firewall = deploy(lambda: Firewall("fw", args) and None)
    assert firewall.loose() == []
    assert firewall.of("SecurityGroup") == {
        f"fw-{group}": {
            "description": f"{group} of fw",
            "vpcId": "vpc-1",
            "tags": {"team": "a", "Name": f"fw-{group}"},
        }
        for group in ("api", "balancer", "etcd")
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
    assert egress["fw-api-egress-10250-10.0.0.0-16"]["cidrIpv4"] == "10.0.0.0/16"
    assert "referencedSecurityGroupId" not in egress["fw-api-egress-10250-10.0.0.0-16"]
    assert firewall.component_outputs("hak8s:index:Firewall") == {
        "group_ids": {group: f"fw-{group}-id" for group in ("api", "balancer", "etcd")}
    }
