"""The proof of the firewall without machines: the program's rules in real namespaces, packets from
everybody to everybody, and the guests that the proof adds."""

from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace

import pytest

from components.network.security_group_rules import groups, rules
from config import check
from lab.cloud import emulator_server as emulators
from lab.lab_errors import LabError
from lab.machines import firewall, requirements
from lab.machines.account import observe
from lab.machines.host_programs import run
from lab.machines.lab_names import Names
from lab.machines.network import namespaces, router
from lab.proofs import guests
from lab.proofs.expected_reachability import PORTS, claims
from lab.proofs.port_probe import probe_ports
from lab.running.vpc_client import plug
from lab.stack.cloud import clients

pytestmark = pytest.mark.daemons

PODS = IPv4Network("10.0.31.0/28")
SETTINGS = check({"network": {"workerCidrs": [str(PODS)]}}, stack="t")
SUBNETS = {"a": "10.0.0.0/19", "b": "10.0.32.0/19", "etcd": "10.0.224.0/28"}
MACHINES = {"etcd-0": "etcd", "etcd-1": "etcd", "api-0": "a", "api-1": "b", "balancer": "a"}
"""Their subnets."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    if reason := requirements.problem():
        pytest.skip(reason)
    state = tmp_path_factory.mktemp("guests")
    emulator = emulators.start(state, port=0)
    aws, names = clients(emulator), Names.of(state)
    try:
        router.create(names)
        yield SimpleNamespace(aws=aws, names=names, account=lambda: observe(aws))
    finally:
        for namespace in namespaces.existing(names.prefix):
            namespaces.delete(namespace)
        emulator.stop()


@pytest.fixture(scope="module")
def vpc(lab):
    return lab.aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture(scope="module")
def subnets(lab, vpc):
    ec2 = lab.aws("ec2")
    for cidr in SUBNETS.values():
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone="eu-central-1a")
    by_cidr = {str(subnet.cidr): subnet for subnet in lab.account().subnets.values()}
    for subnet in by_cidr.values():
        router.add_subnet(lab.names, subnet)
    return {name: by_cidr[cidr] for name, cidr in SUBNETS.items()}


@pytest.fixture(scope="module")
def group_ids(lab, vpc):
    """The security groups of the program, with its rules."""
    ec2 = lab.aws("ec2")
    ids = {
        group: ec2.create_security_group(GroupName=group, Description=group, VpcId=vpc)["GroupId"]
        for group in groups(SETTINGS)
    }
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    for group_id in ids.values():
        ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=everything)
    for rule in rules(SETTINGS):
        permission = {"IpProtocol": rule.traffic.protocol}
        if rule.traffic.first is not None:
            permission |= {"FromPort": rule.traffic.first, "ToPort": rule.traffic.last}
        if isinstance(rule.peer, IPv4Network):
            permission["IpRanges"] = [{"CidrIp": str(rule.peer)}]
        else:
            permission["UserIdGroupPairs"] = [{"GroupId": ids[rule.peer]}]
        authorize = getattr(ec2, f"authorize_security_group_{rule.direction}")
        authorize(GroupId=ids[rule.group], IpPermissions=[permission])
    return ids


@pytest.fixture(scope="module")
def everybody(lab, subnets, group_ids):
    """(role, namespace or None, address) of everybody."""
    ec2, filtered = lab.aws("ec2"), {}
    found = [("outside", None, router.AWS)]
    for name, subnet in MACHINES.items():
        role, group = name.partition("-")[0], group_ids[name.partition("-")[0]]
        made = ec2.create_network_interface(SubnetId=subnets[subnet].id, Groups=[group])
        address = IPv4Address(made["NetworkInterface"]["PrivateIpAddress"])
        namespace = f"{lab.names.prefix}-{name}"
        plug(lab.names, namespace, f"m-{name}", subnets[subnet], address)
        filtered[namespace] = group
        found.append((role, namespace, address))
    stranger = IPv4Address("10.0.0.200")
    plug(lab.names, f"{lab.names.prefix}-stranger", "m-stranger", subnets["a"], stranger)
    found.append(("stranger", f"{lab.names.prefix}-stranger", stranger))
    with ExitStack() as stack:
        workers = stack.enter_context(
            guests.workers(lab, group_ids["workers"], [subnets["a"], subnets["b"]])
        )
        pod = stack.enter_context(guests.pod(lab, PODS))
        found += [("worker", one.namespace, one.address) for one in workers]
        found.append(("pod", pod.namespace, pod.address))
        account = lab.account()
        for namespace, group in filtered.items():
            vpc = IPv4Network("10.0.0.0/16")
            text = firewall.ruleset([group], account.groups, account.interfaces, vpc)
            run("ip", "netns", "exec", namespace, "nft", "-f", "-", stdin=text)
        yield found


def test_packets_reach_whom_they_must_and_nobody_else(everybody, monkeypatch):
    # Nothing here takes long: the first packet is sent again after a second.
    monkeypatch.setattr("lab.proofs.port_probe.PATIENCE", 1.5)
    opened = {
        namespace: probe_ports(
            namespace,
            [(str(to), port) for _, _, to in everybody if to != address for port in PORTS],
        )
        for _, namespace, address in everybody
        if namespace
    }
    wrong, asked = [], set()
    for claim in claims():
        for client, namespace, source in everybody:
            for server, _, target in everybody:
                if (client, server) != (claim.client, claim.server) or source == target:
                    continue
                asked.add((client, server))
                for port in PORTS:
                    found = opened[namespace][str(target), port]
                    if found != (port in claim.ports):
                        state = "open" if found else "closed"
                        wrong.append(f"{client} {source} to {server} {target}:{port} is {state}")
    assert wrong == []
    assert asked == {(claim.client, claim.server) for claim in claims()}


def test_guests_go_with_everything_of_theirs(lab, subnets, group_ids, everybody):
    def interfaces():
        found = lab.aws("ec2").describe_network_interfaces(
            Filters=[{"Name": "description", "Values": [guests.DESCRIPTION]}]
        )
        return len(found["NetworkInterfaces"])

    # What a proof that was killed left behind goes with the next one.
    assert interfaces() == 2
    with guests.workers(lab, group_ids["workers"], [subnets["b"]]) as (worker,):
        assert interfaces() == 1
        assert worker.address in subnets["b"].cidr
        assert worker.namespace in namespaces.existing(lab.names.prefix)
    assert interfaces() == 0
    assert worker.namespace not in namespaces.existing(lab.names.prefix)


def test_a_range_without_a_free_address_is_no_place_for_a_pod(lab, subnets):
    taken = lab.account().interfaces[0].address
    with pytest.raises(LabError, match="is taken"), guests.pod(lab, IPv4Network(f"{taken}/32")):
        pass
