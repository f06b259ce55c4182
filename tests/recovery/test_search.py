"""Every creation gets its answer, or the operator is told which does not."""

import pytest
from botocore.exceptions import ClientError

from recovery import search
from recovery.recovery_error import RecoveryError

PROVIDER = "urn:pulumi:prod::ha-kubernetes::pulumi:providers:aws::default"
ROLE = "aws:iam/role:Role"
OTHER = "aws:ec2/spotFleet:SpotFleet"


def _urn(name, kind=ROLE):
    return f"urn:pulumi:prod::ha-kubernetes::{kind}::{name}"


def _export(*kinds, resources=()):
    operations = [
        {
            "type": "creating",
            "resource": {
                "urn": _urn("a", kind),
                "type": kind,
                "inputs": {"name": "prod-a"},
                "provider": f"{PROVIDER}::1",
            },
        }
        for kind in kinds
    ]
    return {"deployment": {"resources": list(resources), "pending_operations": operations}}


class _Iam:
    """An IAM that has the role at the n-th look."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def get_role(self, *, RoleName: str) -> object:
        assert RoleName == "prod-a"
        self.looks -= 1
        if self.looks > 0:
            raise ClientError({"Error": {"Code": "NoSuchEntity", "Message": "no"}}, "GetRole")
        return {}


def _connect(client):
    return lambda region: lambda service: client


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(search, "PAUSE", 0)


def test_what_appears_late_is_found():
    (found,) = search.search(_export(ROLE), _connect(_Iam(3)), {}, patience=60)
    assert found.ids == ["prod-a"]


def test_what_never_appears_does_not_exist():
    (found,) = search.search(_export(ROLE), _connect(_Iam(1000)), {}, patience=0.05)
    assert found.ids == []


def test_what_is_recorded_already_is_not_found():
    role = {"urn": _urn("a"), "type": ROLE, "id": "prod-a"}
    (found,) = search.search(_export(ROLE, resources=[role]), _connect(_Iam(1)), {}, patience=0)
    assert found.ids == []


def test_what_may_be_created_twice_is_not_looked_for():
    kinds = ("aws:iam/rolePolicy:RolePolicy", "tls:index/privateKey:PrivateKey")
    found = search.search(_export(*kinds), _connect(None), {}, patience=60)
    assert [one.repeatable for one in found] == [True, True]


def test_a_type_that_nobody_looks_for_is_named_before_anything_is_asked():
    with pytest.raises(RecoveryError, match=r"(?s)SpotFleet::a: .*--absent URN"):
        search.search(_export(ROLE, OTHER), _connect(None), {}, patience=60)


def test_what_the_operator_knows_is_not_looked_for():
    told = {_urn("a", OTHER): ["sfr-1"], _urn("a"): []}
    found = search.search(_export(ROLE, OTHER), _connect(None), told, patience=60)
    assert [list(one.ids) for one in found] == [[], ["sfr-1"]]


def test_a_refusal_of_aws_is_an_error_and_never_an_absence():
    class Denied:
        def get_role(self, **_):
            error = {"Error": {"Code": "AccessDenied", "Message": "not you"}}
            raise ClientError(error, "GetRole")

    with pytest.raises(RecoveryError, match=r"Role::a: .*AccessDenied"):
        search.search(_export(ROLE), _connect(Denied()), {}, patience=0)


def test_another_account_is_refused(monkeypatch):
    class Session:
        region_name = "eu-central-1"

        def __init__(self, **_):
            pass

        def client(self, service):
            assert service == "sts"
            return self

        def get_caller_identity(self):
            return {"Account": "999999999999"}

    monkeypatch.setattr(search.boto3, "Session", Session)
    arn = "arn:aws:iam::111122223333:role/prod-b"
    role = {"urn": _urn("b"), "type": ROLE, "id": "prod-b", "outputs": {"arn": arn}}
    export = _export(ROLE, resources=[role])
    with pytest.raises(RecoveryError, match=r"999999999999 .*111122223333"):
        search.search(export, search.Accounts(export).connect, {}, patience=0)
