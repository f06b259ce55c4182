"""Instances whose states wait for a machine: a controller of this test's own says what they do."""

import base64
import json
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest


@pytest.fixture
def control(emulator):
    def ask(method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        url = f"{emulator.endpoint}/_lab/{path}"
        request = Request(url, data=data, method=method)  # noqa: S310 - of this test's own server
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    return ask


@pytest.fixture
def attached(control, tmp_path):
    """Reports for an instance, while a controller is attached."""
    control("PUT", "controller", {"consoles": str(tmp_path)})

    def report(instance, **what):
        control("POST", "instances", {"id": instance["InstanceId"], **what})

    yield report
    control("DELETE", "controller")


@pytest.fixture
def state(network):
    return lambda instance: network.read(instance["InstanceId"])["State"]["Name"]


def test_without_a_controller_states_follow_at_once(network, ec2, state):
    instance = network.launch()
    assert state(instance) == "running"
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    assert state(instance) == "stopped"
    network.terminate(instance)
    assert state(instance) == "terminated"


def test_a_life_follows_its_machine(network, ec2, state, attached):
    instance = network.launch()
    ids = [instance["InstanceId"]]
    assert state(instance) == "pending"
    attached(instance, state="running")
    assert state(instance) == "running"

    answer = ec2.stop_instances(InstanceIds=ids)["StoppingInstances"][0]
    assert answer["PreviousState"] == {"Code": 16, "Name": "running"}
    assert answer["CurrentState"] == {"Code": 64, "Name": "stopping"}
    attached(instance, state="stopped")
    assert state(instance) == "stopped"

    ec2.start_instances(InstanceIds=ids)
    assert state(instance) == "pending"
    attached(instance, state="running")

    answer = ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"][0]
    assert answer["CurrentState"] == {"Code": 32, "Name": "shutting-down"}
    attached(instance, state="terminated")
    assert state(instance) == "terminated"


def test_an_address_is_held_until_the_machine_is_gone(network, ec2, state, attached, address):
    instance = network.launch(PrivateIpAddress=address)
    network.terminate(instance)
    with pytest.raises(Exception, match=r"InvalidIPAddress\.InUse"):
        network.launch(PrivateIpAddress=address)
    attached(instance, state="terminated")
    successor = network.launch(PrivateIpAddress=address)
    assert successor["PrivateIpAddress"] == address
    network.terminate(successor)
    attached(successor, state="terminated")


def test_a_report_that_a_request_overtook_is_dropped(network, state, attached):
    instance = network.launch()
    network.terminate(instance)
    attached(instance, state="running")
    assert state(instance) == "shutting-down"
    attached(instance, state="stopped")
    assert state(instance) == "shutting-down"
    attached(instance, state="terminated")
    assert state(instance) == "terminated"


def test_a_machine_that_powers_itself_off_stops(network, state, attached):
    instance = network.launch()
    attached(instance, state="running")
    attached(instance, state="stopped")
    assert state(instance) == "stopped"
    network.terminate(instance)
    attached(instance, state="terminated")


def test_status_is_ok_once_it_is_reachable(network, ec2, attached):
    instance = network.launch()
    attached(instance, state="running")

    def status():
        answer = ec2.describe_instance_status(InstanceIds=[instance["InstanceId"]])
        return answer["InstanceStatuses"][0]["InstanceStatus"]["Status"]

    assert status() == "initializing"
    attached(instance, reachable=True)
    assert status() == "ok"
    attached(instance, reachable=False)
    assert status() == "impaired"
    network.terminate(instance)
    attached(instance, state="terminated")


def test_a_reboot_is_asked_for_and_the_state_stays(network, ec2, state, attached, control):
    instance = network.launch()
    attached(instance, state="running")
    before = control("GET", "instances")["reboots"].get(instance["InstanceId"], 0)
    ec2.reboot_instances(InstanceIds=[instance["InstanceId"]])
    assert control("GET", "instances")["reboots"][instance["InstanceId"]] == before + 1
    assert state(instance) == "running"
    network.terminate(instance)
    attached(instance, state="terminated")


def test_the_console_is_the_machines_own(network, ec2, attached, tmp_path):
    instance = network.launch()
    (tmp_path / f"{instance['InstanceId']}.log").write_bytes(b"x" * 70_000 + b"login:")
    output = ec2.get_console_output(InstanceId=instance["InstanceId"])["Output"]
    assert len(output) == 64 * 1024
    assert output.endswith("login:")
    network.terminate(instance)
    attached(instance, state="terminated")


def test_user_data_is_kept_byte_for_byte(network, ec2):
    data = bytes(range(256))
    instance = network.launch(UserData=data)
    answer = ec2.describe_instance_attribute(
        InstanceId=instance["InstanceId"], Attribute="userData"
    )
    assert base64.b64decode(answer["UserData"]["Value"]) == data
    network.terminate(instance)


def test_changes_are_counted_and_questions_and_metrics_are_not(network, ec2, emulator, control):
    before = control("GET", "changes?after=-1")["change"]
    ec2.describe_instances()
    # As the nodes' boto3 sends them; this one's sends CBOR.
    metric = {"MetricData.member.1.MetricName": "NodeReady", "MetricData.member.1.Value": "1"}
    form = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": "nodes", **metric}
    scope = "test/20260101/eu-central-1/monitoring/aws4_request"
    signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"}
    body = urlencode(form).encode()
    with urlopen(Request(emulator.endpoint, data=body, headers=signed)) as answer:  # noqa: S310
        assert b"PutMetricDataResponse" in answer.read()
    assert control("GET", "changes?after=-1")["change"] == before
    ec2.create_tags(Resources=[network.vpc], Tags=[{"Key": "a", "Value": "b"}])
    assert control("GET", f"changes?after={before}")["change"] == before + 1
