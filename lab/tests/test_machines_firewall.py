"""Security groups as nftables, as text and as packets in real namespaces."""

import shutil
import subprocess
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.machines.account import Group, Interface, Rule
from lab.machines.firewall import Uplink, ruleset

CIDR = IPv4Network("10.0.0.0/16")


def chain(text: str, name: str) -> list[str]:
    """What a chain accepts, without what is always accepted."""
    lines = [line.strip() for line in text.splitlines()]
    begin = lines.index(f"chain {name} {{")
    return lines[begin + 2 : lines.index("}", begin)]


def compiled(*ingress: Rule, egress: tuple[Rule, ...] = (), interfaces=()) -> str:
    return ruleset(["sg-a"], {"sg-a": Group("sg-a", ingress, egress)}, interfaces, CIDR)


def test_nothing_is_let_through_but_what_aws_never_filters():
    text = compiled()
    assert text.count("policy drop;") == 2
    assert chain(text, "input") == [
        "iif lo accept",
        "ct state established,related accept",
        "udp sport 67 udp dport 68 accept",
    ]
    assert chain(text, "output") == [
        "oif lo accept",
        "ct state established,related accept",
        "udp sport 68 udp dport 67 accept",
        "ip daddr 169.254.169.254 tcp dport 80 accept",
        "ip daddr 169.254.169.123 udp dport 123 accept",
        "ip daddr { 169.254.169.253, 10.0.0.2 } udp dport 53 accept",
        "ip daddr { 169.254.169.253, 10.0.0.2 } tcp dport 53 accept",
    ]


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        (Rule("tcp", (443, 443), "0.0.0.0/0", None), "tcp dport 443 accept"),
        (Rule("tcp", (1, 9), "10.1.0.0/16", None), "ip saddr 10.1.0.0/16 tcp dport 1-9 accept"),
        (Rule("udp", (53, 53), "10.0.0.9/32", None), "ip saddr 10.0.0.9/32 udp dport 53 accept"),
        (Rule("-1", None, "10.0.0.9/32", None), "ip saddr 10.0.0.9/32 accept"),
        (Rule("tcp", None, "0.0.0.0/0", None), "meta l4proto tcp accept"),
        (Rule("icmp", (8, -1), "0.0.0.0/0", None), "icmp type 8 accept"),
        (Rule("icmp", (3, 4), "0.0.0.0/0", None), "icmp type 3 icmp code 4 accept"),
        (
            Rule("tcp", (2379, 2379), None, "sg-b"),
            "ip saddr { 10.0.0.4, 10.0.0.5 } tcp dport 2379 accept",
        ),
    ],
)
def test_each_rule_is_a_statement(rule, statement):
    interfaces = (
        Interface(IPv4Address("10.0.0.5"), ("sg-b",)),
        Interface(IPv4Address("10.0.0.4"), ("sg-c", "sg-b")),
        Interface(IPv4Address("10.0.0.6"), ("sg-c",)),
    )
    assert chain(compiled(rule, interfaces=interfaces), "input")[3:] == [statement]


def test_a_members_pods_are_members():
    pods = (IPv4Network("10.0.8.16/28"), IPv4Network("10.0.8.0/28"))
    members = (Interface(IPv4Address("10.0.0.5"), ("sg-b",), pods),)
    text = compiled(Rule("tcp", (1, 1), None, "sg-b"), interfaces=members)
    peers = "{ 10.0.0.5, 10.0.8.0/28, 10.0.8.16/28 }"
    assert chain(text, "input")[3:] == [f"ip saddr {peers} tcp dport 1 accept"]


UPLINK = Uplink("ens5", IPv4Address("10.0.0.4"), (IPv4Network("10.0.8.16/28"),))


def test_rules_of_a_machine_with_pods_hold_on_its_interface():
    rule = Rule("tcp", (443, 443), "0.0.0.0/0", None)
    group = {"sg-a": Group("sg-a", (rule,), (rule,))}
    text = ruleset(["sg-a"], group, (), CIDR, UPLINK)
    assert "type filter hook prerouting priority mangle; policy drop;" in text
    assert "type filter hook postrouting priority srcnat + 50; policy drop;" in text
    assert chain(text, "prerouting") == [
        'iifname != "ens5" accept',
        "ct state established,related accept",
        "udp sport 67 udp dport 68 accept",
        "tcp dport 443 accept",
    ]
    assert chain(text, "postrouting")[:3] == [
        'oifname != "ens5" accept',
        "ip saddr != { 10.0.0.4, 10.0.8.16/28 } drop",
        "ct state established,related accept",
    ]
    assert chain(text, "postrouting")[-1] == "tcp dport 443 accept"


def test_a_group_without_members_lets_nobody_through():
    assert chain(compiled(Rule("tcp", (1, 1), None, "sg-b")), "input")[3:] == []


def test_outgoing_rules_name_destinations():
    rule = Rule("tcp", (443, 443), "10.2.0.0/16", None)
    text = compiled(egress=(rule,))
    assert chain(text, "output")[7:] == ["ip daddr 10.2.0.0/16 tcp dport 443 accept"]
    assert chain(text, "input")[3:] == []


def test_rules_of_all_groups_count_each_once():
    rule = Rule("tcp", (1, 1), "0.0.0.0/0", None)
    groups = {name: Group(name, (rule,), ()) for name in ("sg-a", "sg-b")}
    text = ruleset(["sg-a", "sg-b", "sg-gone"], groups, (), CIDR)
    assert chain(text, "input")[3:] == ["tcp dport 1 accept"]


ports = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda p: (min(p), max(p)))
cidrs = st.ip_addresses(v=4).map(lambda address: f"{address}/32")
rules = st.builds(Rule, st.sampled_from(["tcp", "udp"]), ports, cidrs, st.none())


@settings(deadline=None, max_examples=25)
@given(st.lists(rules, max_size=5), st.lists(rules, max_size=5), st.sampled_from([None, UPLINK]))
def test_nft_accepts_every_ruleset(ingress, egress, uplink):
    if shutil.which("nft") is None:
        pytest.skip("nft is not installed")
    groups = {"sg-a": Group("sg-a", tuple(ingress), tuple(egress))}
    text = ruleset(["sg-a"], groups, (), CIDR, uplink)
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", "nft", "--check", "-f", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
