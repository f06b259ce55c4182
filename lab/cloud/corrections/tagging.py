# ruff: noqa: SLF001 - moto has no public name for what is corrected here
"""Tags.

Stock moto checks the tags of IAM roles, and of nothing else: not their lengths, not the prefix
`aws:`, not the characters of an instance profile's. A stack's tags go to everything that it makes,
so tags that one service refuses fail an update half-way.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response, vpcs
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend
from moto.iam.exceptions import ValidationError
from moto.iam.models import IAMBackend, InstanceProfile
from moto.kms.models import KmsBackend
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from moto.ssm.exceptions import ValidationException as SsmValidationException
from moto.ssm.models import SimpleSystemManagerBackend

from lab.cloud.corrections.patching import Method, extends, given

KEY, VALUE = 128, 256
"""Most characters of a key and a value (Tagging guide, "Tag naming limits and requirements")."""

MOST = 50
"""Tags of a resource (the same guide)."""

RESERVED = "aws:"

CHARACTERS = re.compile(r"[\w\s.:/=+\-@]*")
"""What IAM takes in keys and values: letters, digits, blanks and some marks."""

Tags = Sequence[Mapping[str, str]]


def _problem(tags: Mapping[str, str]) -> str | None:
    for key, value in tags.items():
        if key.lower().startswith(RESERVED):
            return f"Tag keys starting with '{RESERVED}' are reserved for internal use: {key}"
        if not 1 <= len(key) <= KEY:
            return f"Tag key exceeds the maximum length of {KEY} characters: {key}"
        if len(value or "") > VALUE:
            return f"Tag value exceeds the maximum length of {VALUE} characters: {value}"
    return None


def _refused(owner: type, name: str, error: Callable[[str], Exception]) -> None:
    """Have a method that takes tags refuse what no service takes."""

    @extends(owner, name)
    def checked(original: Method, *args: object, **kwargs: object) -> object:
        tags = given(original, *args, **kwargs).get("tags") or ()
        if not isinstance(tags, Mapping):
            tags = {
                tag.get("Key") or tag["TagKey"]: tag.get("Value") or tag.get("TagValue") or ""
                for tag in tags
            }
        problem = _problem(tags)
        if problem is None and len(tags) > MOST:
            problem = f"A resource can have at most {MOST} tags, not {len(tags)}"
        if problem:
            raise error(problem)
        return original(*args, **kwargs)


for _owner, _name, _error in (
    (KmsBackend, "create_key", partial(JsonRESTError, "TagException")),
    (SimpleSystemManagerBackend, "put_parameter", SsmValidationException),
    (ELBv2Backend, "create_load_balancer", partial(ELBClientError, "ValidationError")),
    (ELBv2Backend, "create_target_group", partial(ELBClientError, "ValidationError")),
    (ELBv2Backend, "create_listener", partial(ELBClientError, "ValidationError")),
    (S3Backend, "put_bucket_tagging", partial(S3ClientError, "InvalidTag")),
):
    _refused(_owner, _name, _error)


def _refuse_ec2(tags: Mapping[str, str]) -> None:
    problem = _problem(tags)
    if problem:
        raise EC2ClientError("InvalidParameterValue", problem)


@extends(EC2Response, "_parse_tag_specification")
def parse_tag_specification(
    original: Method, response: EC2Response, *args: object, **kwargs: object
) -> dict[str, dict[str, str]]:
    """The tags of a request that makes something. Raises InvalidParameterValue."""
    specification: dict[str, dict[str, str]] = original(response, *args, **kwargs)
    for tags in specification.values():
        _refuse_ec2(tags)
    return specification


@extends(EC2Response, "create_vpc")
def create_vpc(original: Method, response: EC2Response) -> ActionResult:
    """CreateVpc, which reads its tags in a way of its own. Raises InvalidParameterValue."""
    response._parse_tag_specification()
    answer: ActionResult = original(response)
    return answer


def _add_tag_specification(tags: list[dict[str, Tags]]) -> dict[str, str]:
    """The tags of a VPC endpoint. Raises InvalidParameterValue."""
    specification: dict[str, str] = _original_specification(tags)
    _refuse_ec2(specification)
    return specification


_original_specification = vpcs.add_tag_specification  # type: ignore[attr-defined] # imported there
setattr(vpcs, "add_tag_specification", _add_tag_specification)  # noqa: B010 - mypy would want moto's own type


@extends(EC2Response, "create_tags")
def create_tags(original: Method, response: EC2Response) -> ActionResult:
    """CreateTags. Raises InvalidParameterValue."""
    _refuse_ec2(
        {tag["Key"]: tag.get("Value") or "" for tag in response._get_param("Tags", []) or []}
    )
    answer: ActionResult = original(response)
    return answer


@extends(IAMBackend, "_tag_verification")
def tag_verification(
    original: Method, backend: IAMBackend, tags: Tags
) -> dict[str, Mapping[str, str]]:
    """The checks of a role's tags, and those that stock moto leaves out. Raises ValidationError."""
    checked: dict[str, Mapping[str, str]] = original(backend, tags)
    problem = _problem({tag["Key"]: tag["Value"] for tag in tags})
    if problem is None:
        problem = next(
            (
                f"Value '{tag['Value']}' at 'tags.X.member.value' failed to satisfy constraint"
                for tag in tags
                if not CHARACTERS.fullmatch(tag["Value"])
            ),
            None,
        )
    if problem:
        raise ValidationError(problem)
    return checked


@extends(IAMBackend, "create_instance_profile")
def create_instance_profile(
    original: Method, backend: IAMBackend, *args: object, **kwargs: object
) -> InstanceProfile:
    """CreateInstanceProfile with the checks of a role's tags. Raises ValidationError."""
    backend._tag_verification(list(given(original, backend, *args, **kwargs)["tags"] or ()))
    profile: InstanceProfile = original(backend, *args, **kwargs)
    return profile


@extends(IAMBackend, "tag_instance_profile")
def tag_instance_profile(
    original: Method, backend: IAMBackend, instance_profile_name: str, tags: Tags
) -> None:
    """TagInstanceProfile with the checks of a role's tags. Raises ValidationError."""
    backend._tag_verification(list(tags))  # type: ignore[arg-type] # any mapping
    original(backend, instance_profile_name, tags)
