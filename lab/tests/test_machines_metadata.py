"""The metadata service: tokens, paths, what is refused."""

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from ipaddress import IPv4Network

import pytest

from lab.machines.account import target_state
from lab.machines.metadata import metadata_server
from lab.machines.metadata.metadata_service import Service, Tokens
from lab.machines.metadata.tree import RoleKeys

TTL = {"x-aws-ec2-metadata-token-ttl-seconds": "60"}
USER_DATA = b"\x1f\x8b not text"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> RoleKeys:
    issued = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return RoleKeys("local-etcd-0", "ASIA1", "secret", "token", issued, issued + timedelta(hours=6))


@pytest.fixture
def service(clock, keys) -> Service:
    return Service(
        "eu-central-1", "123456789012", Tokens(clock), lambda _: USER_DATA, lambda _: keys
    )


@pytest.fixture
def read(service, instance):
    """Reads a path with a token."""
    token = service.answer(instance, "PUT", "/latest/api/token", TTL).body.decode()

    def make(path: str):
        return service.answer(instance, "GET", path, {"x-aws-ec2-metadata-token": token})

    return make


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/latest/meta-data/instance-id", "i-0123456789abcdef0"),
        ("/latest/meta-data/local-ipv4", "10.0.224.4"),
        ("/2021-03-23/meta-data/placement/availability-zone", "eu-central-1a"),
        ("/latest/meta-data/placement/", "availability-zone\nregion"),
        ("/latest/meta-data/iam/security-credentials/", "local-etcd-0"),
        ("/latest/meta-data/network/interfaces/macs/", "02:00:00:aa:bb:cc/"),
        ("/latest", "dynamic/\nmeta-data/\nuser-data"),
    ],
)
def test_what_an_instance_reads(read, path, body):
    answer = read(path)
    assert (answer.status, answer.body.decode()) == (200, body)


def test_user_data_is_given_byte_for_byte(read):
    assert read("/latest/user-data").body == USER_DATA


def test_keys_of_the_role(read):
    document = json.loads(read("/latest/meta-data/iam/security-credentials/local-etcd-0").body)
    assert document == {
        "Code": "Success",
        "LastUpdated": "2026-01-02T03:04:05Z",
        "Type": "AWS-HMAC",
        "AccessKeyId": "ASIA1",
        "SecretAccessKey": "secret",
        "Token": "token",
        "Expiration": "2026-01-02T09:04:05Z",
    }


@pytest.mark.parametrize(
    "path", ["/latest/meta-data/none", "/latest/meta-data/instance-id/more", "/other/meta-data"]
)
def test_what_is_not_there(read, path):
    assert read(path).status == 404


def test_nothing_without_a_token(service, instance):
    for path in ("/latest/meta-data/instance-id", "/latest/user-data"):
        assert service.answer(instance, "GET", path, {}).status == 401
        wrong = {"x-aws-ec2-metadata-token": "wrong"}
        assert service.answer(instance, "GET", path, wrong).status == 401


def test_only_cloud_init_may_do_without(service, instance):
    cloud_init = {"user-agent": "Cloud-Init/25.1.4"}
    assert service.answer(instance, "GET", "/latest/user-data", cloud_init).status == 200
    curl = {"user-agent": "curl/8 Cloud-Init/25.1.4"}
    assert service.answer(instance, "GET", "/latest/user-data", curl).status == 401


def test_tokens_are_optional_where_the_instance_says_so(service, instance):
    optional = replace(instance, tokens_required=False)
    assert service.answer(optional, "GET", "/latest/user-data", {}).status == 200


def test_a_token_ends(service, instance, read, clock):
    assert read("/latest/user-data").status == 200
    clock.now = 60.0
    assert read("/latest/user-data").status == 401


def test_a_token_belongs_to_one_instance(service, instance):
    token = service.answer(instance, "PUT", "/latest/api/token", TTL).body.decode()
    other = replace(instance, id="i-0fedcba9876543210")
    headers = {"x-aws-ec2-metadata-token": token}
    assert service.answer(other, "GET", "/latest/user-data", headers).status == 401


@pytest.mark.parametrize("seconds", ["", "0", "21601", "x"])
def test_a_token_needs_a_lifetime(service, instance, seconds):
    headers = {"x-aws-ec2-metadata-token-ttl-seconds": seconds}
    assert service.answer(instance, "PUT", "/latest/api/token", headers).status == 400


def test_the_hop_limit_holds_for_tokens_only(service, instance, read):
    assert service.answer(instance, "PUT", "/latest/api/token", TTL).hop_limit == 1
    assert read("/latest/user-data").hop_limit is None


def test_no_token_by_way_of_a_proxy(service, instance):
    headers = {**TTL, "x-forwarded-for": "10.0.0.9"}
    assert service.answer(instance, "PUT", "/latest/api/token", headers).status == 403


def test_a_stranger_and_one_that_switched_it_off_get_nothing(service, instance):
    assert service.answer(None, "PUT", "/latest/api/token", TTL).status == 404
    off = replace(instance, metadata=False)
    assert service.answer(off, "PUT", "/latest/api/token", TTL).status == 403


def test_an_instance_without_a_role_has_no_keys(instance):
    service = Service("r", "a", Tokens(), lambda _: b"", lambda _: None)
    optional = replace(instance, tokens_required=False)
    assert service.answer(optional, "GET", "/latest/meta-data/iam", {}).status == 404
    assert service.answer(optional, "GET", "/latest/user-data", {}).status == 404


def test_it_answers_on_its_socket(service, instance):
    listener = socket.create_server(("127.0.0.1", 0))
    running = metadata_server.serve(listener, service, {"127.0.0.1": instance}.get)
    try:
        connection = HTTPConnection(*listener.getsockname(), timeout=10)
        connection.request("PUT", "/latest/api/token", headers=TTL)
        answer = connection.getresponse()
        token = answer.read().decode()
        assert answer.getheader("x-aws-ec2-metadata-token-ttl-seconds") == "60"
        connection.request("GET", "/latest/user-data", headers={"X-aws-ec2-metadata-token": token})
        assert connection.getresponse().read() == USER_DATA
        connection.close()
    finally:
        metadata_server.close(running)


def test_a_worker_reads_its_prefixes_and_where_its_group_wants_it(service, instance):
    worker = replace(
        instance,
        prefixes=(IPv4Network("10.0.1.16/28"), IPv4Network("10.0.1.48/28")),
        target_lifecycle_state="Terminated",
        spot=True,
    )
    token = service.answer(worker, "PUT", "/latest/api/token", TTL).body.decode()

    def read(path: str) -> str:
        headers = {"x-aws-ec2-metadata-token": token}
        return service.answer(worker, "GET", f"/latest/meta-data/{path}", headers).body.decode()

    interface = f"network/interfaces/macs/{worker.mac}"
    assert read(f"{interface}/ipv4-prefix").split() == ["10.0.1.16/28", "10.0.1.48/28"]
    assert read("autoscaling/target-lifecycle-state") == "Terminated"
    assert read("instance-life-cycle") == "spot"


def test_who_has_no_prefix_and_no_group_finds_neither(read, instance):
    interface = f"network/interfaces/macs/{instance.mac}"
    assert read(f"/latest/meta-data/{interface}/ipv4-prefix").status == 404
    assert read("/latest/meta-data/autoscaling/target-lifecycle-state").status == 404
    assert read("/latest/meta-data/instance-life-cycle").body == b"on-demand"


@pytest.mark.parametrize(
    ("state", "target"),
    [
        ("Pending", "InService"),
        ("Pending:Wait", "InService"),
        ("InService", "InService"),
        ("Terminating", "Terminated"),
        ("Terminating:Wait", "Terminated"),
        ("Standby", "Standby"),
    ],
)
def test_where_a_life_cycle_state_leads(state, target):
    assert target_state(state) == target
