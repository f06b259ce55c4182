"""Who reaches whom through the security groups of the whole program. The claims are listed in
lab/proofs/expected_reachability.py by what users need; the proof of the firewall asks them of packets."""

import pytest

from lab.proofs.expected_reachability import PORTS, claims
from lab.tests.reachability import Host, reaches
from tests.recording import OUTPUTS, SMALL, ZONES
from tests.unit.ssh_keygen import ed25519

# A pod network that is peered with the VPC, and one within it.
PODS, PODS_IN_VPC = "100.64.0.0/16", "10.0.31.0/28"
HOSTS = {
    "etcd": Host("10.0.224.4", "etcd"),
    "api": Host("10.0.0.4", "api"),
    "balancer": Host("10.0.0.9", "balancer"),
    "worker": Host("10.0.0.20", "workers"),
    "pod": Host("100.64.3.7"),
    "stranger": Host("10.0.0.200"),
    "outside": Host("203.0.113.9"),
}
SETTINGS = {
    "a VPC": {},
    "people by CIDR": {"api": {"size": 2, "allowedCidrs": ["192.0.2.0/24"]}},
    "people by a CIDR that workers have too": {"api": {"size": 2, "allowedCidrs": [PODS]}},
    "a mirror": {"artifacts": {"mirror": "https://mirror.internal/debian"}},
}


@pytest.fixture(params=SETTINGS)
def settings(request):
    return {**SMALL, **SETTINGS[request.param], "network": {"workerCidrs": [PODS, PODS_IN_VPC]}}


@pytest.fixture(params=["100.64.3.7", "10.0.31.4"])
def pod(request):
    return Host(request.param)


def test_what_must_be_reached_is_open_and_nothing_else(deploy_stack, settings, pod):
    cluster, hosts = deploy_stack(settings), {**HOSTS, "pod": pod}
    of_people = "allowedCidrs" in settings.get("api", {})
    wrong = [
        f"{claim.client} to {claim.server}:{port} is {'open' if found else 'closed'}"
        for claim in claims(vpc_reaches_load_balancer=not of_people)
        for port in PORTS
        for found in [reaches(cluster, hosts[claim.client], hosts[claim.server], port)]
        if found != (port in claim.ports)
    ]
    assert wrong == []


def test_without_worker_cidrs_a_pod_is_a_stranger(cluster):
    for server in ("etcd", "api", "worker"):
        assert not any(reaches(cluster, HOSTS["pod"], HOSTS[server], port) for port in PORTS)
    # The stranger's VPC still has the load balancer; an address outside of it has not.
    assert reaches(cluster, HOSTS["stranger"], HOSTS["balancer"], 6443)
    assert not reaches(cluster, HOSTS["pod"], HOSTS["balancer"], 6443)


@pytest.mark.parametrize(("nat", "gateways"), [("perZone", 3), ("single", 1)])
def test_nodes_reach_a_public_load_balancer_from_behind_nat(deploy_stack, nat, gateways):
    cluster = deploy_stack(
        {
            **SMALL,
            "network": {"nat": nat},
            "api": {"size": 2, "internal": False, "allowedCidrs": ["192.0.2.0/24"]},
        }
    )
    load_balancer = Host("203.0.113.80", "balancer")
    address_of = OUTPUTS["aws:ec2/eip:Eip"]
    addresses = [address_of(name, {})["publicIp"] for name in cluster.of("Eip")]
    assert len(set(addresses)) == gateways
    for node in ("worker", "api"):
        # Out of its own group to a public address, and in from the address of its NAT gateway.
        assert reaches(cluster, HOSTS[node], Host(load_balancer.address), 6443)
    for address in addresses:
        assert reaches(cluster, Host(address), load_balancer, 6443)
    assert reaches(cluster, Host("192.0.2.7"), load_balancer, 6443)
    assert not reaches(cluster, HOSTS["outside"], load_balancer, 6443)


def test_an_internal_load_balancer_knows_no_nat_gateway(cluster):
    assert not any("-nat-" in name for name in cluster.of("SecurityGroupIngressRule"))
    assert not reaches(cluster, HOSTS["worker"], HOSTS["outside"], 6443)


@pytest.mark.parametrize(
    "mirror", ["https://mirror.internal:8444", "https://mirror.internal:8444/x"]
)
def test_the_port_of_a_mirror_is_open_to_all_machines(deploy_stack, mirror):
    cluster = deploy_stack({**SMALL, "artifacts": {"mirror": mirror}})
    for machine in ("etcd", "api", "worker"):
        assert reaches(cluster, HOSTS[machine], HOSTS["outside"], 8444)
        assert reaches(cluster, HOSTS[machine], HOSTS["outside"], 443)
        assert not reaches(cluster, HOSTS[machine], HOSTS["outside"], 8445)


NO_NAT = {
    "network": {"nat": "none"},
    "ami": "ami-0123456789abcdef0",
    "artifacts": {"mirror": "https://mirror.internal:8443"},
}


def test_without_nat_the_whole_vpc_reaches_the_endpoints_of_aws(deploy_stack):
    cluster = deploy_stack({**SMALL, **NO_NAT})
    endpoint = Host("10.0.0.30", "endpoints")
    for client in ("etcd", "api", "worker", "stranger"):
        assert reaches(cluster, HOSTS[client], endpoint, 443), client
        assert not reaches(cluster, HOSTS[client], endpoint, 80), client
    for machine in ("etcd", "api", "worker"):
        # S3 keeps its public addresses behind a gateway endpoint.
        assert reaches(cluster, HOSTS[machine], HOSTS["outside"], 443)
        assert reaches(cluster, HOSTS[machine], HOSTS["outside"], 8443)
        assert not reaches(cluster, HOSTS[machine], HOSTS["outside"], 80)


OPERATOR = {"operatorAccess": "instance-connect", "operatorKeys": [ed25519()]}


def test_operators_reach_ssh_of_every_machine_and_nothing_else(deploy_stack):
    cluster = deploy_stack({**SMALL, **OPERATOR})
    operator = Host("10.0.0.40", "operator")
    for machine in ("etcd", "api", "worker"):
        opened = {port for port in PORTS if reaches(cluster, operator, HOSTS[machine], port)}
        assert opened == {22}
    assert not any(reaches(cluster, operator, HOSTS["balancer"], port) for port in PORTS)


def test_the_endpoint_that_a_vpc_has_already_is_let_in_and_none_is_made(deploy_stack):
    existing = {
        "vpcId": "vpc-0a",
        "instanceConnectGroupId": "sg-0e",
        "zones": {
            zone: {
                "privateSubnetId": f"subnet-{i}a",
                "etcdSubnetId": f"subnet-{i}b",
                "etcdCidr": f"10.0.{i}.0/28",
            }
            for i, zone in enumerate(ZONES)
        },
    }
    cluster = deploy_stack({**SMALL, **OPERATOR, "network": {"existing": existing}})
    assert cluster.of("InstanceConnectEndpoint") == {}
    assert "test-operator" not in cluster.of("SecurityGroup")
    admitted = {
        rule["securityGroupId"]
        for rule in cluster.of("SecurityGroupIngressRule").values()
        if rule.get("referencedSecurityGroupId") == "sg-0e"
        and (rule["fromPort"], rule["toPort"]) == (22, 22)
    }
    assert admitted == {"test-etcd-id", "test-api-id", "test-workers-id"}


def test_the_workers_group_is_exported(cluster):
    assert cluster.exports()["workersSecurityGroupId"] == "test-workers-id"
