"""Subnets and what is in them.

Stock moto deletes a subnet in which interfaces are, takes one smaller than /28, and answers a
second association of a subnet with the first one's id, so that a subnet could seem to follow two
route tables. AWS refuses all three.
"""

import ipaddress

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, InvalidSubnetRangeError
from moto.ec2.models import EC2Backend
from moto.ec2.models.subnets import Subnet

from lab.cloud.corrections.patching import Method, extends

SMALLEST = 28
"""Longest prefix of a subnet (VPC guide, "Subnet sizing"); the shortest is 16."""


@extends(EC2Backend, "create_subnet")
def create_subnet(
    original: Method,
    backend: EC2Backend,
    vpc_id: str,
    cidr_block: str,
    *args: object,
    **kwargs: object,
) -> Subnet:
    """CreateSubnet. Raises InvalidSubnet.Range."""
    if cidr_block:
        network = ipaddress.ip_network(cidr_block, strict=False)
        if not 16 <= network.prefixlen <= SMALLEST:
            raise InvalidSubnetRangeError(cidr_block)
    subnet: Subnet = original(backend, vpc_id, cidr_block, *args, **kwargs)
    return subnet


@extends(EC2Backend, "delete_subnet")
def delete_subnet(original: Method, backend: EC2Backend, subnet_id: str) -> Subnet:
    """DeleteSubnet. Raises DependencyViolation while an interface is in it."""
    if any(interface.subnet.id == subnet_id for interface in list(backend.enis.values())):
        raise DependencyViolationError(
            f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
        )
    subnet: Subnet = original(backend, subnet_id)
    return subnet


@extends(EC2Backend, "associate_route_table")
def associate_route_table(
    original: Method,
    backend: EC2Backend,
    route_table_id: str,
    gateway_id: str | None = None,
    subnet_id: str | None = None,
) -> str:
    """AssociateRouteTable. Raises Resource.AlreadyAssociated."""
    if subnet_id and backend.describe_route_tables(filters={"association.subnet-id": [subnet_id]}):
        raise EC2ClientError(
            "Resource.AlreadyAssociated",
            f"The specified association for route table {route_table_id} conflicts with an "
            "existing association",
        )
    association: str = original(backend, route_table_id, gateway_id, subnet_id)
    return association
