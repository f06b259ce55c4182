"""The real CLI, the real Terraform AWS provider and stock moto: the life of a small stack.

It does not prove anything about AWS itself. That a preview creates nothing, a second update changes
nothing and a wrong setting is one line is tested with the cluster's own program.
"""

import json

import pytest

from lab.engine.model import Engine
from lab.tests.engine.throwaway import Project, make

CANARY = "canary-0d7c1f0a4be84f0e"

PROGRAM = f"""
import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

config = pulumi.Config()
vpc = aws.ec2.Vpc("vpc", cidr_block="10.1.0.0/16", tags={{"Name": "vpc"}})
group = aws.ec2.SecurityGroup("group", vpc_id=vpc.id)
aws.vpc.SecurityGroupIngressRule(
    "in", security_group_id=group.id, cidr_ipv4="10.1.0.0/16", ip_protocol="tcp",
    from_port=6443, to_port=6443, description=config.get("text") or "api",
)
aws.vpc.SecurityGroupEgressRule(
    "out", security_group_id=group.id, cidr_ipv4="0.0.0.0/0", ip_protocol="-1"
)
volume = aws.ebs.Volume(
    "data", availability_zone="eu-central-1a", size=config.get_int("size") or 8,
    type=config.get("type") or "gp3", encrypted=True,
    opts=pulumi.ResourceOptions(ignore_changes=["type"]),
)
key = aws.kms.Key("key", description="lab", enable_key_rotation=True)
bucket = aws.s3.Bucket("bucket", force_destroy=True)
ca_key = tls.PrivateKey("ca-key", algorithm="ECDSA", ecdsa_curve="P256")
ca = tls.SelfSignedCert(
    "ca", private_key_pem=ca_key.private_key_pem, is_ca_certificate=True,
    validity_period_hours=config.get_int("hours") or 1000, allowed_uses=["cert_signing"],
    subject={{"common_name": "ca"}},
)
aws.ssm.Parameter(
    "ca-key", name="/lab/ca-key", type="SecureString", key_id=key.key_id,
    value=ca_key.private_key_pem,
)
aws.ssm.Parameter(
    "canary", name="/lab/canary", type="SecureString",
    value=pulumi.Output.secret("{CANARY}"), description=config.get("text") or "api",
)
pulumi.export("volume", volume.id)
pulumi.export("bucket", bucket.bucket)
pulumi.export("ca", ca.cert_pem)
pulumi.export("canary", pulumi.Output.secret("{CANARY}"))
"""

TYPES = {
    "pulumi:pulumi:Stack": 1,
    "pulumi:providers:aws": 1,
    "pulumi:providers:tls": 1,
    "aws:ebs/volume:Volume": 1,
    "aws:ec2/securityGroup:SecurityGroup": 1,
    "aws:ec2/vpc:Vpc": 1,
    "aws:kms/key:Key": 1,
    "aws:s3/bucket:Bucket": 1,
    "aws:ssm/parameter:Parameter": 2,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 1,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 1,
    "tls:index/privateKey:PrivateKey": 1,
    "tls:index/selfSignedCert:SelfSignedCert": 1,
}


@pytest.fixture(scope="module")
def project(engine: Engine, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make(engine, endpoint, tmp_path_factory.mktemp("program"), PROGRAM)


def scan(text: str) -> list[str]:
    """What must never stand in clear."""
    return [needle for needle in (CANARY, "PRIVATE KEY") if needle in text]


def test_up_creates_everything_once(project: Project) -> None:
    done, steps = project.up()
    assert done.status == 0, done.text
    assert scan(done.text) == []
    assert all(op == "create" for op, _ in steps)
    resources = json.loads(project.state())["checkpoint"]["latest"]["resources"]
    kinds = [resource["type"] for resource in resources]
    assert {kind: kinds.count(kind) for kind in kinds} == TYPES
    (volume,) = project.client("ec2").describe_volumes()["Volumes"]
    assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (8, "gp3", True)
    stored = project.client("ssm").get_parameter(Name="/lab/ca-key", WithDecryption=True)
    assert "EC PRIVATE KEY" in stored["Parameter"]["Value"], "AWS got the key itself"


def test_the_state_holds_no_secret_in_clear_and_the_scan_can_fail(project: Project) -> None:
    assert scan(project.state()) == []
    shown = project.pulumi("stack", "export", "--show-secrets").text
    assert scan(shown) == [CANARY, "PRIVATE KEY"], (
        "the same scan finds them once they are decrypted"
    )


def test_an_update_touches_only_what_changed_and_ignored_changes_are_ignored(
    project: Project,
) -> None:
    done, steps = project.up(size=9, text="changed", type="gp2")
    assert done.status == 0, done.text
    assert scan(done.text) == []
    assert sorted(steps) == [("update", "canary"), ("update", "data"), ("update", "in")]
    (volume,) = project.client("ec2").describe_volumes()["Volumes"]
    assert (volume["Size"], volume["VolumeType"]) == (9, "gp3")


def test_a_change_that_cannot_be_made_in_place_replaces(project: Project) -> None:
    before = json.loads(project.pulumi("stack", "output", "--json").text)
    done, steps = project.up(hours=2000)
    assert done.status == 0, done.text
    assert {name for _, name in steps} == {"ca"}
    assert [op for op, _ in steps] == ["create-replacement", "replace", "delete-replaced"]
    after = json.loads(project.pulumi("stack", "output", "--json").text)
    assert after["ca"] != before["ca"]
    assert after["volume"] == before["volume"]


def test_what_vanished_from_the_cloud_is_created_again_after_a_refresh(project: Project) -> None:
    project.client("ssm").delete_parameter(Name="/lab/canary")
    assert project.pulumi("refresh", "--yes", "--skip-preview").status == 0
    done, steps = project.up()
    assert done.status == 0, done.text
    assert steps == [("create", "canary")]


def test_a_refused_argument_is_named_before_anything_changes(project: Project) -> None:
    program = project.directory / "__main__.py"
    program.write_text(PROGRAM + BAD)
    try:
        done, steps = project.up()
    finally:
        program.write_text(PROGRAM)
    assert done.status != 0
    assert "no such property" not in done.text
    assert "Traceback" not in done.text
    assert "not-a-cidr" in done.text
    assert [name for op, name in steps if op == "create" and name == "bad"] == []


BAD = """
aws.ec2.Vpc("bad", cidr_block="not-a-cidr")
"""


def test_destroy_leaves_nothing(project: Project) -> None:
    done = project.pulumi("destroy", "--yes", "--skip-preview")
    assert done.status == 0, done.text
    assert project.client("ec2").describe_volumes()["Volumes"] == []
    assert project.client("s3").list_buckets()["Buckets"] == []
    assert project.client("ssm").describe_parameters()["Parameters"] == []
    assert "resources" not in json.loads(project.state())["checkpoint"]["latest"]


LOGIN = "could not log in to the state backend"
OFFICIAL = "install the official one"
NOT_BUILT = {
    "api ListStacks": f"this CLI was built without `pulumi api`: {OFFICIAL}",
    "login s3://a": f'{LOGIN} "s3://a": this CLI was built without s3://: {OFFICIAL}',
    "login azblob://a": f'{LOGIN} "azblob://a": this CLI was built without azblob://: {OFFICIAL}',
    "login gs://a": f'{LOGIN} "gs://a": this CLI was built without gs://: {OFFICIAL}',
    "env ls": f"this CLI was built without `pulumi env`: {OFFICIAL}",
    "stack init other --secrets-provider=awskms://key": (
        "could not create secrets manager for new stack: this CLI was built without secrets "
        "providers of clouds: use passphrase, or install the official CLI"
    ),
}


@pytest.mark.parametrize("command", NOT_BUILT)
def test_what_is_not_built_says_so(project: Project, command: str) -> None:
    if not project.engine.sources["CLI"].startswith("built"):
        pytest.skip("the official CLI has it")
    done = project.pulumi(*command.split())
    assert done.status != 0
    assert done.errors == [NOT_BUILT[command]]
