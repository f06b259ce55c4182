"""Identity of a worker: as the AWS cloud provider names it, in node.env."""

import pytest

from node.errors import NodeError
from node.worker import identity
from tests.node.doubles import Metadata
from tests.node.worker_node import ENVIRONMENT, ITEMS, NODE


@pytest.fixture
def metadata(root, aws, monkeypatch):
    items = dict(ITEMS)
    monkeypatch.setattr(Metadata, "items", items)
    return items


def test_units_get_it_and_the_agent_reads_it_back(metadata, root):
    assert identity.write() == [f"this is {NODE}, aws:///eu-central-1a/i-0abc"]
    assert (root / "etc/ha-kubernetes/node.env").read_text() == ENVIRONMENT
    assert identity.insist() == identity.ask()
    assert identity.write() == []


@pytest.mark.parametrize(
    "told", ["ip-10-0-224-4.corp.example", "i-0abc.ec2.internal", "IP-10-0-224-4 a.example", ""]
)
def test_domains_of_dhcp_options_change_no_name(metadata, told):
    """The approver of certificates knows nothing of them."""
    metadata["local-hostname"] = told
    assert identity.ask().name == "ip-10-0-224-4.eu-central-1.compute.internal"


def test_in_the_oldest_region_the_domain_has_another_form(metadata):
    metadata["placement/region"] = "us-east-1"
    assert identity.ask().name == "ip-10-0-224-4.ec2.internal"


@pytest.mark.parametrize("text", ["", "NODE_ADDRESS=10.0.224.4\n", "x", "NODE_NAME=\n"])
def test_what_is_not_whole_is_no_identity(root, text):
    path = root / "etc/ha-kubernetes/node.env"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert identity.known() is None
    with pytest.raises(NodeError, match="run ha-node prepare"):
        identity.insist()
