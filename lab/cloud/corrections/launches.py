# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""Launches: what they may ask for.

Stock moto launches an image on a processor of another architecture, in a zone that does not have
the type, in security groups of another VPC, and with user data of any length. AWS refuses each,
after a rolling replacement has already deleted the machine before.
"""

from collections.abc import Iterable

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses import EC2Response

from lab.cloud.corrections.patching import Method, extends

USER_DATA_BYTES = 16 * 1024
"""What user data may have before it is encoded (EC2 API reference, RunInstances)."""


@extends(EC2Response, "run_instances")
def run_instances(original: Method, response: EC2Response) -> ActionResult:
    """RunInstances. Raises InvalidParameterValue, Unsupported and InvalidGroup.NotFound."""
    backend, subnet_id = response.ec2_backend, response._get_param("SubnetId")
    check(
        backend,
        kind=response._get_param("InstanceType"),
        image_id=response._get_param("ImageId"),
        subnet=backend.get_subnet(subnet_id) if subnet_id else None,
        groups=response._get_param("SecurityGroupIds", []),
        user_data=response._get_param("UserData"),
    )
    answer: ActionResult = original(response)
    return answer


def check(
    backend: EC2Backend,
    *,
    kind: str | None,
    image_id: str,
    subnet: Subnet | None,
    groups: Iterable[str],
    user_data: object,
) -> None:
    """What a launch may ask for. Raises InvalidParameterValue, Unsupported and
    InvalidGroup.NotFound."""
    if kind and _offered(backend, kind, None):
        _check_type(backend, kind, image_id)
        if subnet is not None and not _offered(backend, kind, subnet.availability_zone):
            raise EC2ClientError(
                "Unsupported",
                f"Your requested instance type ({kind}) is not supported in your requested "
                f"Availability Zone ({subnet.availability_zone}).",
            )
    if subnet is not None:
        _check_groups(backend, subnet.vpc_id, groups)
    text = str(user_data or "")
    if len(text) * 3 // 4 - text.count("=") > USER_DATA_BYTES:
        raise EC2ClientError(
            "InvalidParameterValue", f"User data is limited to {USER_DATA_BYTES} bytes"
        )


def _offered(backend: EC2Backend, kind: str, zone: str | None) -> bool:
    """Whether AWS has a type in a zone, or anywhere in the region."""
    where = {"location": [zone]} if zone else {}
    found = backend.describe_instance_type_offerings(
        location_type="availability-zone" if zone else "region",
        filters={"instance-type": [kind], **where},
    )
    return bool(found)


def _check_type(backend: EC2Backend, kind: str, image_id: str) -> None:
    (about,) = backend.describe_instance_types(instance_types=[kind])
    processors = about["ProcessorInfo"]["SupportedArchitectures"]
    image = backend.amis.get(image_id)
    if image is not None and image.architecture not in processors:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"The architecture '{','.join(processors)}' of the specified instance type does not "
            f"match the architecture '{image.architecture}' of the specified AMI.",
        )


def _check_groups(backend: EC2Backend, vpc_id: str, group_ids: Iterable[str]) -> None:
    for group_id in group_ids:
        group = backend.get_security_group_from_id(group_id)
        if group is not None and group.vpc_id != vpc_id:
            raise EC2ClientError(
                "InvalidGroup.NotFound",
                f"The security group '{group_id}' does not exist in VPC '{vpc_id}'",
            )
