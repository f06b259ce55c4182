"""Proof 4: every port is open or closed as the table says."""

from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address

import pytest

from components.firewall_rules import rules
from components.naming import API_PORT
from lab.machines.network.router import AWS
from lab.proofs.api import api, resolve
from lab.proofs.doors import Party, open_to
from lab.proofs.knock import knock
from lab.proofs.settings import settings
from lab.proofs.subject import Subject
from lab.workspace import Workspace

OTHERS = (22, 53, 111, 2378, 2382, 4001, 8080, 8443, 9100, 10248, 10257, 10259)
"""Ports that no rule names, beside those of the table; the last ones are the controllers' own."""


@pytest.fixture(scope="module")
def parties(subject: Subject) -> dict[str, tuple[str, Party]]:
    """Those who knock: their namespace, and who they are."""
    place = subject.kubectl.place
    found = {"stranger": (place.namespace, Party("stranger", place.address, None))}
    for tier in ("etcd", "api"):
        for node in subject.nodes(tier):
            party = Party(node.name, node.instance.address, tier)
            found[node.name] = (subject.namespace(node), party)
    return found


@pytest.fixture(scope="module")
def targets(subject: Subject, parties: dict[str, tuple[str, Party]]) -> list[Party]:
    """Those at whose ports is knocked: every machine, the balancer, and AWS outside of the VPC."""
    name = api(subject.kubectl).server.name
    balancers = [
        Party(f"balancer {address}", IPv4Address(address), "balancer")
        for address in resolve(subject.kubectl, name)
    ]
    machines = [party for _, party in parties.values() if party.group]
    return [*machines, *balancers, Party("AWS", AWS, None)]


def test_every_port_is_open_or_closed_as_the_table_says(
    subject: Subject,
    workspace: Workspace,
    parties: dict[str, tuple[str, Party]],
    targets: list[Party],
) -> None:
    table = rules(settings(workspace))
    ports = sorted({rule.port for rule in table} | set(OTHERS))
    wrong: list[str] = []
    counted = {True: 0, False: 0}

    def knock_everywhere(namespace: str, source: Party) -> None:
        doors = {(str(t.address), port): t for t in targets if t != source for port in ports}
        found = knock(namespace, doors)
        for (address, port), target in doors.items():
            wanted = open_to(table, source, target, port)
            counted[wanted] += 1
            if found[address, port] != wanted:
                way = f"{source.name} to {target.name}:{port}"
                wrong.append(f"{way} is {'open' if not wanted else 'closed'}")

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda pair: knock_everywhere(*pair), parties.values()))
    assert wrong == []
    assert counted[True] > 0
    assert counted[False] > 0


def test_a_stranger_reaches_the_balancer_and_no_machine(
    subject: Subject, workspace: Workspace, targets: list[Party]
) -> None:
    """The same in one sentence, without the table's help."""
    ports = sorted({rule.port for rule in rules(settings(workspace))} | set(OTHERS))
    inside = [target for target in targets if target.name != "AWS"]
    doors = {(str(target.address), port): target for target in inside for port in ports}
    found = knock(subject.kubectl.place.namespace, doors)
    opened = {
        (target.group, port) for (address, port), target in doors.items() if found[address, port]
    }
    assert opened == {("balancer", API_PORT)}
