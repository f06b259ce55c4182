"""The output `nextSteps`: what people paste once a cluster is up."""

import pytest

from tests.recording import REGION, SMALL
from tests.unit.ssh_keygen import ed25519

TOPIC = f"arn:aws:sns:{REGION}:123456789012:test-alarms"
URL = f"https://test-api.elb.{REGION}.amazonaws.com:6443"


@pytest.fixture
def steps(deploy_stack):
    def of(**settings):
        return deploy_stack({**SMALL, **settings}).exports()["nextSteps"]

    return of


def test_a_cluster_that_nobody_outside_reaches(steps):
    assert steps() == {
        "kubeconfig": "umask 077; pulumi stack output kubeconfig --show-secrets > kubeconfig",
        "api": (
            f"{URL} has private addresses: reach it from the VPC or a network that is connected to "
            "it; its security group admits 10.0.0.0/16, API servers and workers"
        ),
        "machines": (
            "no machine admits SSH: set operatorAccess to instance-connect, and operatorKeys, and "
            "run pulumi up; no machine is replaced"
        ),
        "alarms": (
            f"aws sns subscribe --region {REGION} --topic-arn {TOPIC} --protocol email "
            "--notification-endpoint <address>"
        ),
    }


def test_a_public_load_balancer_admits_whom_the_settings_name(steps):
    api = {"size": 2, "internal": False, "allowedCidrs": ["203.0.113.0/24"]}
    said = steps(api=api, network={"workerCidrs": ["10.9.0.0/16"]})["api"]
    assert said == (
        f"{URL} has public addresses; its security group admits 203.0.113.0/24, 10.9.0.0/16, "
        "API servers and workers"
    )


def test_the_way_into_a_machine_is_a_command_where_there_is_one(steps):
    said = steps(operatorAccess="instance-connect", operatorKeys=[ed25519()])["machines"]
    assert said == (
        f"aws ec2-instance-connect ssh --region {REGION} --instance-id test-etcd-0-id "
        "--os-user admin --connection-type eice --private-key-file <key of operatorKeys>"
    )
