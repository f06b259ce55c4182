import json
import re

import pulumi_aws as aws
import pytest

from components.nodes.owned_parameter import NEVER_WRITTEN_AGAIN
from config import check
from tests.components.builders import etcd_tier
from tests.recording import UNPROTECTED, ZONES, user_data

MEMBERS = ["etcd-0", "etcd-1", "etcd-2"]


def test_a_machine_for_each_member(cluster):
    instances = {n: i for n, i in cluster.of("Instance").items() if "-etcd-" in n}
    assert set(instances) == {f"test-{member}" for member in MEMBERS}
    member = dict(instances["test-etcd-1"])
    assert user_data(member).startswith("#cloud-config\n")
    del member["userDataBase64"]
    assert member == {
        "ami": "ami-0123456789abcdef0",
        "instanceType": "m6i.large",
        "subnetId": f"test-etcd-{ZONES[1]}-id",
        "privateIp": "10.0.224.21",
        "vpcSecurityGroupIds": ["test-etcd-id"],
        "iamInstanceProfile": "test-etcd-1",
        "placementGroup": "test-etcd",
        "rootBlockDevice": {
            "volumeType": "gp3",
            "volumeSize": 20,
            "encrypted": True,
            "kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/test-key-id",
            "deleteOnTermination": True,
            "tags": {"kubernetes.io/cluster/test": "owned", "Name": "test-etcd-1-root"},
        },
        "metadataOptions": {
            "httpEndpoint": "enabled",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 1,
        },
        "userDataReplaceOnChange": True,
        "tags": {"kubernetes.io/cluster/test": "owned", "Name": "test-etcd-1"},
    }


def test_a_data_volume_in_the_zone_of_its_member(cluster):
    volume = cluster.of("Volume")["test-etcd-2-data"]
    assert volume == {
        "availabilityZone": ZONES[2],
        "type": "gp3",
        "size": 20,
        "iops": 3000,
        "throughput": 125,
        "encrypted": True,
        "kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/test-key-id",
        "tags": {"kubernetes.io/cluster/test": "owned", "Name": "test-etcd-2-data"},
    }
    attachment = cluster.of("VolumeAttachment")["test-etcd-2-data"]
    assert attachment == {
        "deviceName": "/dev/sdf",
        "volumeId": "test-etcd-2-data-id",
        "instanceId": "test-etcd-2-id",
        "stopInstanceBeforeDetaching": True,
    }
    assert "test-etcd-2-data-id" in user_data(cluster.of("Instance")["test-etcd-2"])


def test_what_never_goes_is_protected_and_machines_and_disks_have_gates(cluster, deploy_stack):
    assert all(b.protect for b in cluster.registrations("Bucket").values())
    assert all(k.protect for k in cluster.registrations("Key").values())
    assert all(ca.protect for ca in cluster.registrations("SelfSignedCert").values())
    roots = {n for n, key in cluster.registrations("PrivateKey").items() if key.protect}
    assert roots == {
        *(f"test-{ca}-ca" for ca in ("kubernetes", "etcd", "front-proxy")),
        "test-service-account",
        "test-encryption-at-rest",
    }
    # A protected machine could never be replaced, which is how every update reaches it.
    assert not any(i.protect for i in cluster.registrations("Instance").values())
    # A protected disk would stay behind when its member has left, and stop the update.
    assert not any(v.protect for v in cluster.registrations("Volume").values())
    unprotected = deploy_stack(UNPROTECTED)
    assert not any(r.protect for r in unprotected.resources)


def test_machines_and_attachments_go_before_their_successors_come(cluster):
    for name, instance in cluster.registrations("Instance").items():
        assert instance.delete_before_replace == ("-etcd-" in name), name
    for attachment in cluster.registrations("VolumeAttachment").values():
        assert attachment.delete_before_replace
    assert not any(v.delete_before_replace for v in cluster.registrations("Volume").values())


@pytest.fixture(scope="module", params=[1, 3, 7])
def tier(request, deploy):
    """An etcd tier of a size, and nothing else."""
    size = {"size": request.param, "instanceType": "m6i.xlarge"}
    disk = {"dataVolume": {"sizeGib": 40, "iops": 6000, "throughput": 250}}
    settings = check({"etcd": {**size, **disk}}, stack="test")
    return deploy(lambda: etcd_tier(settings) and None)


def test_each_member_waits_for_the_machine_and_the_disk_before_it(tier):
    instances = tier.registrations("Instance")
    for number in range(1, len(instances)):
        before = f"alone-etcd-{number - 1}"
        waits_for = instances[f"alone-etcd-{number}"].dependencies
        assert tier.urn("Instance", before) in waits_for
        assert tier.urn("VolumeAttachment", f"{before}-data") in waits_for
    first = instances["alone-etcd-0"].dependencies
    assert not any("alone-etcd-1" in urn or "VolumeAttachment" in urn for urn in first)


def test_a_machine_boots_only_when_everything_it_fetches_is_there(cluster):
    waits_for = cluster.registrations("Instance")["test-etcd-0"].dependencies
    for type_, name in (
        ("BucketObjectv2", "test-program"),
        ("Parameter", "test-etcd-members"),
        ("Parameter", "test-etcd-formation"),
        ("Parameter", "test-etcd-0-peer.key"),
        ("Parameter", "test-etcd-0-status"),
        ("RolePolicy", "test-etcd-0"),
        ("Route", f"test-private-{ZONES[0]}"),
        ("SecurityGroupIngressRule", "test-etcd-ingress-2380-etcd"),
    ):
        assert cluster.urn(type_, name) in waits_for, name


def test_the_report_is_deleted_after_what_its_gates_hold_back(tier):
    for name, instance in tier.registrations("Instance").items():
        parameters = {tier.urn("Parameter", f"{name}-{kind}") for kind in ("status", "record")}
        assert parameters <= set(instance.dependencies)
        assert parameters <= set(tier.registrations("Volume")[f"{name}-data"].dependencies)


def test_the_desired_members(cluster):
    parameter = cluster.of("Parameter")["test-etcd-members"]
    assert parameter["name"] == "/test/etcd/members"
    assert parameter["type"] == "String"
    assert json.loads(parameter["value"]) == [
        {"name": "etcd-0", "address": "10.0.224.4"},
        {"name": "etcd-1", "address": "10.0.224.21"},
        {"name": "etcd-2", "address": "10.0.224.38"},
    ]
    assert cluster.registrations("Parameter")["test-etcd-members"].ignore_changes == ()


def test_the_marker_is_written_once_and_then_the_nodes_own_it(cluster):
    marker = cluster.registrations("Parameter")["test-etcd-formation"]
    assert marker.inputs["name"] == "/test/etcd/formation"
    assert json.loads(marker.inputs["value"]) == {
        "formed": False,
        "token": "test-test-key-id",
        "members": json.loads(cluster.of("Parameter")["test-etcd-members"]["value"]),
        "version": 1,
    }
    assert marker.ignore_changes == NEVER_WRITTEN_AGAIN


def test_reports_are_the_nodes_to_write_and_the_stacks_to_delete(cluster):
    reports = {n: r for n, r in cluster.registrations("Parameter").items() if n.endswith("-status")}
    assert len(reports) == 6
    for report in reports.values():
        assert json.loads(report.inputs["value"]) == {"version": 1}
        assert report.inputs["type"] == "String"
        assert report.ignore_changes == NEVER_WRITTEN_AGAIN


def test_whatever_the_sdk_lets_a_program_say_of_such_a_parameter_is_ignored():
    """But the name, which is where it lies."""
    settable = {name for name in dir(aws.ssm.ParameterArgs) if not name.startswith("_")} - {"name"}
    camel = {re.sub("_(.)", lambda match: match[1].upper(), name) for name in settable}
    assert {*NEVER_WRITTEN_AGAIN} == {*camel, "tagsAll"}


def test_members_are_spread_over_hardware(cluster):
    groups = cluster.of("PlacementGroup")
    assert {name: group["strategy"] for name, group in groups.items()} == {
        "test-etcd": "spread",
        "test-api": "spread",
    }


def test_sizes_of_machine_and_disk_come_from_the_stack(tier):
    for instance in tier.of("Instance").values():
        assert instance["instanceType"] == "m6i.xlarge"
    for volume in tier.of("Volume").values():
        assert (volume["size"], volume["iops"], volume["throughput"]) == (40, 6000, 250)
