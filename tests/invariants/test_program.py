"""What holds for the whole program, whatever the configuration."""

import base64
import hashlib
import json
import re

import pytest
import yaml

from tests.recording import SMALL, is_secret, tags_of, user_data
from tests.unit.ssh_keygen import ed25519

CONFIGURATIONS = {
    "defaults": {},
    "small": {"etcd": {"size": 1}, "api": {"size": 1}, "protect": False},
    "large": {
        "etcd": {"size": 7},
        "api": {"size": 5},
        "architecture": "arm64",
        "network": {"workerCidrs": ["100.64.0.0/16"], "flowLogDays": 30},
        "workers": {
            "general": {"min": 2},
            "batch": {"min": 0, "max": 9, "perZone": True, "spot": True, "taints": ["a:NoExecute"]},
        },
        "operatorAccess": "instance-connect",
        "operatorKeys": [ed25519()],
        "tags": {"team": "a"},
    },
    "public": {**SMALL, "api": {"size": 2, "internal": False, "allowedCidrs": ["203.0.113.0/24"]}},
    "no-nat": {
        **SMALL,
        "network": {"nat": "none"},
        "ami": "ami-0123456789abcdef0",
        "artifacts": {"mirror": "https://mirror.internal"},
    },
}


@pytest.fixture(scope="module", params=CONFIGURATIONS, ids=CONFIGURATIONS)
def program(request, deploy_stack):
    return deploy_stack(CONFIGURATIONS[request.param])


def test_nothing_hangs_off_the_stack(program):
    assert program.loose() == []


def test_every_component_registers_its_outputs(program):
    components = {urn for urn, r in program.monitor.recorded.items() if r.type.startswith("hak8s:")}
    assert components <= set(program.monitor.outputs)


def test_every_member_has_a_zone_of_its_own_or_shares_evenly(program):
    zones = [volume["availabilityZone"] for volume in program.of("Volume").values()]
    counts = [zones.count(zone) for zone in set(zones)]
    assert len(zones) % 2 == 1
    assert max(counts) - min(counts) <= 1


def test_disks_are_encrypted_with_the_clusters_key(program):
    for volume in program.of("Volume").values():
        assert volume["encrypted"] is True
        assert volume["kmsKeyId"].endswith("test-key-id")
    for instance in program.of("Instance").values():
        assert instance["rootBlockDevice"]["encrypted"] is True
    for template in program.of("LaunchTemplate").values():
        (disk,) = template["blockDeviceMappings"]
        assert disk["ebs"]["encrypted"] == "true"
        assert disk["ebs"]["kmsKeyId"].endswith("test-key-id")


def test_root_volumes_carry_the_clusters_tags(program):
    for name, instance in program.of("Instance").items():
        assert "volumeTags" not in instance, "it would also tag the data volume"
        wanted = {**instance["tags"], "Name": f"{name}-root"}
        assert instance["rootBlockDevice"]["tags"] == wanted


def test_metadata_needs_a_token_and_goes_no_further_than_the_machine(program):
    for kind in ("Instance", "LaunchTemplate"):
        for made in program.of(kind).values():
            assert made["metadataOptions"]["httpTokens"] == "required"
            assert made["metadataOptions"]["httpPutResponseHopLimit"] == 1


def test_no_machine_has_a_public_address(program):
    for instance in program.of("Instance").values():
        assert not instance.get("associatePublicIpAddress")
    for template in program.of("LaunchTemplate").values():
        # Without the setting it is the subnet's to say, and none here gives any.
        (interface,) = template["networkInterfaces"]
        assert "associatePublicIpAddress" not in interface
    for name, subnet in program.of("Subnet").items():
        assert "public" in name or not subnet.get("mapPublicIpOnLaunch")


def test_nothing_is_open_to_the_world(program):
    public = any(not one["internal"] for one in program.of("LoadBalancer").values())
    for rule in program.of("SecurityGroupIngressRule").values():
        assert rule.get("cidrIpv4") != "0.0.0.0/0"
        assert "cidrIpv6" not in rule
    for rule in program.of("SecurityGroupEgressRule").values():
        if rule.get("cidrIpv4") == "0.0.0.0/0":
            assert rule["fromPort"] == rule["toPort"]
            # A public load balancer has public addresses only, for nodes too.
            assert rule["toPort"] in {80, 443, *({6443} if public else ())}


def test_etcd_is_open_to_api_servers_and_peers_only(program):
    sources = {
        (rule["fromPort"], rule.get("referencedSecurityGroupId"))
        for rule in program.of("SecurityGroupIngressRule").values()
        if rule["securityGroupId"] == "test-etcd-id" and rule["fromPort"] != 22
    }
    assert sources == {(2379, "test-api-id"), (2380, "test-etcd-id"), (2381, "test-api-id")}


def test_every_private_key_is_marked_secret(program):
    def scan(value, path):
        if is_secret(value):
            return
        if isinstance(value, str):
            assert "PRIVATE KEY" not in value, path
        for key, item in value.items() if isinstance(value, dict) else ():
            scan(item, f"{path}.{key}")
        for item in value if isinstance(value, list) else ():
            scan(item, path)

    for resource in program.resources:
        scan(dict(resource.raw), f"{resource.type} {resource.name}")
    for urn, outputs in program.monitor.outputs.items():
        scan(outputs, urn)


def test_taggable_resources_are_tagged_and_named(program):
    untaggable = {
        "Route",
        "RouteTableAssociation",
        "RolePolicy",
        "VolumeAttachment",
        "TargetGroupAttachment",
        "Alias",
        "SubnetCidrReservation",
        "LifecycleHook",
    }
    for resource in program.resources:
        kind = resource.type.rsplit(":", 1)[-1]
        taggable = resource.type.startswith("aws:") and kind not in untaggable
        if taggable and not re.fullmatch(r"Bucket.+", kind):
            tags = tags_of(resource.inputs)
            # Machines of a pool are named alike, whichever of its groups they are of.
            name = resource.name.partition("-eu-")[0] if kind == "Group" else resource.name
            assert tags["Name"] == name, resource.name
            # A Service's load balancer must not find the subnets of etcd and of workers.
            hidden = resource.name.startswith(("test-etcd-eu-", "test-workers-eu-"))
            tag = None if hidden else "owned"
            assert tags.get("kubernetes.io/cluster/test") == tag


def test_every_machine_boots_after_the_agent_that_it_names_is_stored(program):
    (stored,) = program.registrations("BucketObjectv2")
    inputs = program.of("BucketObjectv2")[stored]
    sha256 = hashlib.sha256(base64.b64decode(inputs["contentBase64"])).hexdigest()
    starting = [*program.registrations("Instance").values()]
    starting += program.registrations("Group").values()
    for one in starting:
        assert program.urn("BucketObjectv2", stored) in one.dependencies
    for kind in ("Instance", "LaunchTemplate"):
        check_agent(program.of(kind).values(), inputs, sha256)


def check_agent(machines, inputs, sha256):
    for machine in machines:
        document = yaml.safe_load(user_data(machine))
        files = {file["path"]: file["content"] for file in document["write_files"]}
        assert json.loads(files["/etc/ha-kubernetes/node.json"])["agent"] == {
            "bucket": inputs["bucket"],
            "key": inputs["key"],
            "sha256": sha256,
        }


def test_names_are_unique_within_their_type(program):
    names = [(resource.type, resource.name) for resource in program.resources]
    assert len(set(names)) == len(names)


def test_policies_are_documents(program):
    for policy in program.of("RolePolicy").values():
        assert json.loads(policy["policy"])["Version"] == "2012-10-17"
        # IAM's limit for the inline policies of a role.
        assert len(re.sub(r"\s", "", policy["policy"])) <= 10240
