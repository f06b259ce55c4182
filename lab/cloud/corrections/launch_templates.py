"""Launch templates.

Stock moto stores the template's own tags in its data (a difference after the first update, which
makes a second version), keeps the tags of the creation for ever, cannot launch from the user data
of a later version, answers 500 for a version that is no number, and takes data that no instance
can be launched with.
"""

from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidLaunchTemplateVersionNotFound
from moto.ec2.models.launch_templates import (
    LaunchTemplate,
    LaunchTemplateBackend,
    LaunchTemplateVersion,
)
from moto.ec2.utils import parse_user_data

from lab.cloud.corrections.launches import USER_DATA_BYTES
from lab.cloud.corrections.patching import Method, extends, replaces

NAME_LENGTHS = range(3, 129)
"""Characters of a name (EC2 API reference, CreateLaunchTemplate)."""

LAUNCHED = frozenset({"instance", "volume", "network-interface", "spot-instances-request"})
"""What a template may tag at launch (LaunchTemplateTagSpecificationRequest)."""


@extends(LaunchTemplateBackend, "create_launch_template")
def create_launch_template(
    original: Method, backend: LaunchTemplateBackend, name: str, *args: object, **kwargs: object
) -> LaunchTemplate:
    """CreateLaunchTemplate. Raises InvalidLaunchTemplateName.MalformedException,
    InvalidParameterValue."""
    if len(name) not in NAME_LENGTHS:
        raise EC2ClientError(
            "InvalidLaunchTemplateName.MalformedException",
            "A launch template name must be between 3 and 128 characters",
        )
    template: LaunchTemplate = original(backend, name, *args, **kwargs)
    return template


@extends(LaunchTemplate, "create_version")
def create_version(
    original: Method, template: LaunchTemplate, data: dict[str, Any], description: str
) -> LaunchTemplateVersion:
    """A version with its own data. Raises InvalidParameterValue."""
    kept = {key: value for key, value in data.items() if value is not None}
    specifications = [
        one
        for one in kept.pop("TagSpecifications", [])
        if one.get("ResourceType") != "launch-template"
    ]
    for one in specifications:
        if one.get("ResourceType") not in LAUNCHED:
            raise EC2ClientError(
                "InvalidParameterValue",
                f"'{one.get('ResourceType')}' is not a valid taggable resource type for this "
                "operation.",
            )
    if specifications:
        kept["TagSpecifications"] = specifications
    if "UserData" in kept:
        if isinstance(kept["UserData"], str):
            kept["UserData"] = parse_user_data(kept["UserData"])
        text = str(kept["UserData"])
        if len(text) * 3 // 4 - text.count("=") > USER_DATA_BYTES:
            raise EC2ClientError(
                "InvalidParameterValue", f"User data is limited to {USER_DATA_BYTES} bytes"
            )
    version: LaunchTemplateVersion = original(template, kept, description)
    return version


@replaces(LaunchTemplate, "get_version")
def get_version(template: LaunchTemplate, num: object) -> LaunchTemplateVersion:
    """A version by number, `$Latest` or `$Default`. Raises
    InvalidLaunchTemplateId.VersionNotFound."""
    if str(num).lower() == "$latest":
        return template.latest_version()
    if str(num).lower() == "$default":
        return template.default_version()
    for version in template.versions:
        if str(version.number) == str(num):
            return version
    raise InvalidLaunchTemplateVersionNotFound(template_id=template.id, version=str(num))


def _tags(template: LaunchTemplate) -> list[dict[str, str]]:
    return template.get_tags()


# What CreateTags added shows, and what DeleteTags took does not.
setattr(LaunchTemplate, "tags", property(_tags, lambda *_: None))  # noqa: B010 - mypy would want moto's own type
