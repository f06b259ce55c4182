"""Who may use a key: what its policy may name, and whether Auto Scaling can encrypt with it."""

import json

import pytest
from botocore.exceptions import ClientError

from lab.cloud.auto_scaling.key_access import ACTIONS, may_use, role_arn
from lab.tests.cloud.worker_groups import Pool

ACCOUNT, REGION = "123456789012", "eu-central-1"
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
BY_EC2 = {
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": [f"kms:{action}" for action in ACTIONS],
    "Resource": "*",
    "Condition": {
        "StringEquals": {
            "kms:CallerAccount": ACCOUNT,
            "kms:ViaService": f"ec2.{REGION}.amazonaws.com",
        }
    },
}
BY_ROLE = {**BY_EC2, "Principal": {"AWS": [role_arn(ACCOUNT)]}, "Condition": {}}


def policy(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Grant:
    def __init__(self, principal: str, *operations: str) -> None:
        self.grantee_principal, self.operations = principal, list(operations)


@pytest.mark.parametrize(
    ("statements", "grants", "usable"),
    [
        ([ROOT], [], False),
        ([ROOT, BY_EC2], [], True),
        ([ROOT, BY_ROLE], [], True),
        ([ROOT, {**BY_ROLE, "Action": ["kms:Decrypt"]}], [], False),
        ([ROOT, BY_ROLE, {**BY_ROLE, "Effect": "Deny", "Action": "kms:CreateGrant"}], [], False),
        ([ROOT], [Grant(role_arn(ACCOUNT), *ACTIONS)], True),
        ([ROOT], [Grant("arn:aws:iam::1:role/x", *ACTIONS)], False),
        (
            [
                ROOT,
                {
                    **BY_EC2,
                    "Condition": {
                        "StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
                    },
                },
            ],
            [],
            False,
        ),
    ],
)
def test_what_lets_auto_scaling_use_a_key(statements, grants, usable):
    assert may_use({"Statement": statements}, grants, ACCOUNT, REGION) is usable


@pytest.fixture
def pool(aws, emulator, network):
    return Pool(aws, emulator, network)


def encrypted(pool: Pool, key: str) -> Pool:
    ebs = {"VolumeSize": 8, "VolumeType": "gp3", "Encrypted": True, "KmsKeyId": key}
    pool.make_template(BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": ebs}])
    return pool.create(least=1)


def test_disks_are_encrypted_with_a_key_that_lets_auto_scaling(pool, aws):
    key = aws("kms").create_key(Policy=policy(ROOT, BY_EC2))["KeyMetadata"]["Arn"]
    encrypted(pool, key)
    (instance,) = pool.states
    mapping = pool.network.read(instance)["BlockDeviceMappings"][0]["Ebs"]
    (volume,) = pool.ec2.describe_volumes(VolumeIds=[mapping["VolumeId"]])["Volumes"]
    assert (volume["Encrypted"], volume["KmsKeyId"]) == (True, key)


def test_no_instance_comes_up_with_a_key_that_does_not(pool, aws):
    key = aws("kms").create_key(Policy=policy(ROOT))["KeyMetadata"]["Arn"]
    encrypted(pool, key)
    assert pool.states == {}
    assert "Client.InvalidKMSKey.InvalidState" in pool.failures[0]


def test_no_instance_comes_up_with_a_key_that_is_not_there(pool):
    encrypted(pool, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000")
    assert pool.states == {}
    assert "Client.InvalidKMSKey.InvalidState" in pool.failures[0]


def test_a_policy_names_only_roles_that_are_there(pool, aws):
    nobody = {**BY_ROLE, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"}}
    with pytest.raises(ClientError, match="invalid principals"):
        aws("kms").create_key(Policy=policy(ROOT, nobody))
    key = aws("kms").create_key(Policy=policy(ROOT))["KeyMetadata"]["KeyId"]
    with pytest.raises(ClientError, match="invalid principals"):
        aws("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy(ROOT, nobody))


def test_the_service_linked_role_comes_with_the_first_group(pool, aws):
    pool.make_template()
    pool.create(least=0)
    role = aws("iam").get_role(RoleName="AWSServiceRoleForAutoScaling")["Role"]
    assert role["Arn"] == role_arn(ACCOUNT)
    aws("kms").create_key(Policy=policy(ROOT, BY_ROLE))
