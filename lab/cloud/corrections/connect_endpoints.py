# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""EC2 Instance Connect endpoints.

Stock moto has none: CreateInstanceConnectEndpoint answers 500, so `operatorAccess:
instance-connect` could not be brought up.
"""

from datetime import UTC, datetime

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.responses import EC2Response
from moto.ec2.utils import generic_filter
from moto.moto_api._internal import mock_random

from lab.cloud.corrections.patching import replaces, taggable

taggable("instance-connect-endpoint", "eice")


class ConnectEndpoint(TaggedEC2Resource):
    """An endpoint in one subnet; attribute names are those that moto's serializer looks for."""

    def __init__(
        self, backend: EC2Backend, subnet_id: str, group_ids: list[str], *, preserve_client_ip: bool
    ) -> None:
        subnet = backend.get_subnet(subnet_id)
        self.ec2_backend = backend
        self.id = self.instance_connect_endpoint_id = f"eice-{mock_random.get_random_hex(17)}"
        self.interface = backend.create_network_interface(
            subnet, "", group_ids=group_ids or None, description=f"EC2 Instance Connect {self.id}"
        )
        self.owner_id = backend.account_id
        self.instance_connect_endpoint_arn = (
            f"arn:aws:ec2:{backend.region_name}:{backend.account_id}"
            f":instance-connect-endpoint/{self.id}"
        )
        self.state, self.state_message = "create-complete", ""
        self.dns_name = self.fips_dns_name = (
            f"{self.id}.ec2-instance-connect-endpoint.{backend.region_name}.amazonaws.com"
        )
        self.network_interface_ids = [self.interface.id]
        self.vpc_id, self.subnet_id = subnet.vpc_id, subnet.id
        self.availability_zone = subnet.availability_zone
        self.created_at = datetime.now(UTC)
        self.preserve_client_ip = preserve_client_ip
        self.security_group_ids = [group.id for group in self.interface.group_set]

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> object:
        """The value that a DescribeInstanceConnectEndpoints filter compares with."""
        known = {"vpc-id": self.vpc_id, "subnet-id": self.subnet_id, "state": self.state}
        return known.get(filter_name) or super().get_filter_value(filter_name, method_name)


def held(backend: EC2Backend) -> dict[str, ConnectEndpoint]:
    """Endpoints by id."""
    endpoints: dict[str, ConnectEndpoint] = backend.__dict__.setdefault("connect_endpoints", {})
    return endpoints


def _with_id(backend: EC2Backend, endpoint_id: str) -> ConnectEndpoint:
    try:
        return held(backend)[endpoint_id]
    except KeyError:
        raise EC2ClientError(
            "InvalidInstanceConnectEndpointId.NotFound",
            f"The instance connect endpoint ID '{endpoint_id}' does not exist",
        ) from None


@replaces(EC2Response, "create_instance_connect_endpoint")
def create_instance_connect_endpoint(response: EC2Response) -> ActionResult:
    """CreateInstanceConnectEndpoint."""
    backend = response.ec2_backend
    endpoint = ConnectEndpoint(
        backend,
        response._get_param("SubnetId"),
        response._get_param("SecurityGroupIds", []),
        preserve_client_ip=response._get_bool_param("PreserveClientIp", if_none=False),
    )
    held(backend)[endpoint.id] = endpoint
    endpoint.add_tags(response._parse_tag_specification().get("instance-connect-endpoint", {}))
    return ActionResult({"InstanceConnectEndpoint": endpoint})


@replaces(EC2Response, "describe_instance_connect_endpoints")
def describe_instance_connect_endpoints(response: EC2Response) -> ActionResult:
    """DescribeInstanceConnectEndpoints by ids and filters.

    Raises InvalidInstanceConnectEndpointId.NotFound.
    """
    backend = response.ec2_backend
    ids = response._get_param("InstanceConnectEndpointIds", [])
    endpoints = [_with_id(backend, one) for one in ids] or list(held(backend).values())
    return ActionResult(
        {
            "InstanceConnectEndpoints": generic_filter(
                response._filters_from_querystring(), endpoints
            )
        }
    )


@replaces(EC2Response, "delete_instance_connect_endpoint")
def delete_instance_connect_endpoint(response: EC2Response) -> ActionResult:
    """DeleteInstanceConnectEndpoint; gone at once, with its interface.

    Raises InvalidInstanceConnectEndpointId.NotFound.
    """
    backend = response.ec2_backend
    endpoint = _with_id(backend, response._get_param("InstanceConnectEndpointId"))
    del held(backend)[endpoint.id]
    backend.delete_network_interface(endpoint.interface.id)
    endpoint.state = "delete-complete"
    return ActionResult({"InstanceConnectEndpoint": endpoint})
