"""Security groups as an nftables ruleset of one machine. Pure.

As in AWS: what no rule lets through is dropped, in both directions; answers to what was let through
come through; a group as peer means the addresses of its members at this moment; the metadata
service, the resolver, the time service and DHCP are never filtered (VPC user guide, "Security group
rules"), and ARP is none of its business.

A machine with pods routes for them. There the rules hold where AWS has them, on the interface:
what passes between the machine and its own pods is not filtered; what pods send or get over the
interface is, before and after all translation of addresses within the machine; and what comes from
an address that is not the interface's own does not leave it (EC2 user guide, "Source/destination
checking").
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from lab.machines.account import Group, Interface, Rule

METADATA = IPv4Address("169.254.169.254")
TIME = IPv4Address("169.254.169.123")
RESOLVER = IPv4Address("169.254.169.253")
"""The link-local services of every VPC (EC2 and VPC user guides)."""

_HEAD = """\
table inet security_groups
delete table inet security_groups
table inet security_groups {"""


@dataclass(frozen=True)
class _Hook:
    """Where a chain sees packets, and what it lets through before it looks at rules."""

    name: str
    priority: str
    first: tuple[str, ...]


@dataclass(frozen=True)
class Uplink:
    """The interface of a machine with pods."""

    link: str
    address: IPv4Address
    prefixes: tuple[IPv4Network, ...]
    """Its pods' addresses."""

    @property
    def hooks(self) -> tuple[_Hook, _Hook]:
        """After the kernel knows the connection and before it translates the destination; and after
        it translated the source."""
        own = ", ".join(str(one) for one in (self.address, *self.prefixes))
        strangers = f"ip saddr != {{ {own} }} drop"
        return (
            _Hook("prerouting", "mangle", (f'iifname != "{self.link}" accept',)),
            _Hook("postrouting", "srcnat + 50", (f'oifname != "{self.link}" accept', strangers)),
        )


_PLAIN = (
    _Hook("input", "filter", ("iif lo accept",)),
    _Hook("output", "filter", ("oif lo accept",)),
)
"""Of a machine without pods, all of whose packets begin or end in it."""


def ruleset(
    groups: Iterable[str],
    known: Mapping[str, Group],
    interfaces: Iterable[Interface],
    vpc: IPv4Network,
    uplink: Uplink | None = None,
) -> str:
    """The whole table of a machine that is in `groups`; loading it replaces what was there at once.

    `interfaces` are those of the VPC, which make addresses members of groups. A machine with pods
    has an `uplink`.
    """
    ingress, egress = _PLAIN if uplink is None else uplink.hooks
    members = _members(interfaces)
    mine = [known[group] for group in groups if group in known]
    resolvers = f"{{ {RESOLVER}, {vpc[2]} }}"
    return "\n".join(
        [
            _HEAD,
            *_chain(ingress, "udp sport 67 udp dport 68 accept"),
            *_lines(_matches((rule for group in mine for rule in group.ingress), members, "saddr")),
            "  }",
            *_chain(
                egress,
                "udp sport 68 udp dport 67 accept",
                f"ip daddr {METADATA} tcp dport 80 accept",
                f"ip daddr {TIME} udp dport 123 accept",
                f"ip daddr {resolvers} udp dport 53 accept",
                f"ip daddr {resolvers} tcp dport 53 accept",
            ),
            *_lines(_matches((rule for group in mine for rule in group.egress), members, "daddr")),
            "  }",
            "}",
            "",
        ]
    )


def _chain(hook: _Hook, *always: str) -> list[str]:
    return [
        f"  chain {hook.name} {{",
        f"    type filter hook {hook.name} priority {hook.priority}; policy drop;",
        *_lines([*hook.first, "ct state established,related accept", *always]),
    ]


def _lines(rules: Iterable[str]) -> list[str]:
    return [f"    {rule}" for rule in rules]


def _members(interfaces: Iterable[Interface]) -> Mapping[str, list[IPv4Network]]:
    found: dict[str, list[IPv4Network]] = {}
    for interface in interfaces:
        own = (IPv4Network(interface.address), *interface.prefixes)
        for group in interface.groups:
            found.setdefault(group, []).extend(own)
    return found


def _matches(
    rules: Iterable[Rule], members: Mapping[str, list[IPv4Network]], side: str
) -> Iterator[str]:
    """One statement per rule, each once; a group without members lets nobody through."""
    statements = {
        f"{peer}{what}accept": None
        for rule in rules
        if (peer := _peer(rule, members, side)) is not None
        for what in [_what(rule)]
    }
    yield from statements


def _peer(rule: Rule, members: Mapping[str, list[IPv4Network]], side: str) -> str | None:
    if rule.cidr is not None:
        return "" if rule.cidr == "0.0.0.0/0" else f"ip {side} {rule.cidr} "
    addresses = sorted(set(members.get(rule.group or "", [])))
    shown = ", ".join(str(one).removesuffix("/32") for one in addresses)
    return f"ip {side} {{ {shown} }} " if addresses else None


def _what(rule: Rule) -> str:
    if rule.protocol == "-1":
        return ""
    if rule.ports is None:
        return f"meta l4proto {rule.protocol} "
    first, last = rule.ports
    if rule.protocol == "icmp":
        return f"icmp type {first} " if last == -1 else f"icmp type {first} icmp code {last} "
    return f"{rule.protocol} dport {first if first == last else f'{first}-{last}'} "
