"""Names of workers' Nodes: what a worker calls itself leads the approver to its instance."""

from hypothesis import example, given
from hypothesis import strategies as st

from node.cluster.worker_instances import address_in
from node.contract import worker_name

REGIONS = ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1")


@given(st.ip_addresses(v=4).map(str), st.sampled_from(REGIONS))
def test_the_address_is_found_in_the_name(address, region):
    name = worker_name(address, region)
    assert address_in(name, region) == address
    assert all(address_in(name, other) is None for other in REGIONS if other != region)


@given(st.text(max_size=60), st.sampled_from(REGIONS))
@example("ip-10-0-224-4.corp.example", "eu-central-1")
@example("ip-010-0-224-4.eu-central-1.compute.internal", "eu-central-1")
@example("10-0-224-4.eu-central-1.compute.internal", "eu-central-1")
@example("ip-10-0-224-4.ec2.internal", "eu-central-1")
def test_what_is_no_name_of_a_worker_has_no_address(text, region):
    assert address_in(text, region) is None
