"""Launches from a launch template.

Stock moto takes image, type, user data and security groups from the template and drops the rest:
instance profile, metadata options, disks, prefixes, market.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.models.subnets import Subnet
from moto.ec2.utils import convert_tag_spec, filter_iam_instance_profiles
from moto.kms.models import kms_backends

from lab.cloud.auto_scaling.key_access import may_use
from lab.cloud.corrections import launches, prefixes

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Order:
    """What is launched, and where."""

    group: FakeAutoScalingGroup
    version: LaunchTemplateVersion
    subnet: Subnet
    spot: bool

    @property
    def data(self) -> Data:
        """The template's data, with the first override of a mixed instances policy."""
        policy = self.group.mixed_instances_policy or {}
        overrides = policy.get("LaunchTemplate", {}).get("Overrides") or [{}]
        kinds = {key: overrides[0][key] for key in ("InstanceType",) if key in overrides[0]}
        return {**self.version.data, **kinds}


def version_of(group: FakeAutoScalingGroup) -> LaunchTemplateVersion:
    """The version of the launch template for what is launched now.

    Raises EC2ClientError when the group has none, or it is gone.
    """
    if group.ec2_launch_template is None:
        raise EC2ClientError("ValidationError", "The group has no launch template.")
    template = group.ec2_backend.get_launch_template(group.ec2_launch_template.id)
    return template.get_version(group.launch_template_version)


def check(order: Order) -> None:
    """What RunInstances and Auto Scaling would refuse. Raises EC2ClientError."""
    backend, data = order.group.ec2_backend, order.data
    for name in ("ImageId", "InstanceType"):
        if not data.get(name):
            raise EC2ClientError("MissingParameter", f"The request must contain {name}")
    backend.describe_images(ami_ids=[data["ImageId"]])
    launches.check(
        backend,
        kind=data["InstanceType"],
        image_id=data["ImageId"],
        subnet=order.subnet,
        groups=_groups(data),
        user_data=data.get("UserData"),
    )
    for group_id in _groups(data):
        if backend.get_security_group_from_id(group_id) is None:
            raise EC2ClientError(
                "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist"
            )
    for spec in data.get("NetworkInterfaces", []):
        prefixes.check(backend, data["InstanceType"], spec)
    _profile(backend, data)


def check_keys(order: Order) -> None:
    """Whether Auto Scaling may use the keys of the volumes. Raises EC2ClientError; in AWS such an
    instance is launched and terminated at once."""
    backend = order.group.ec2_backend
    account, region = backend.account_id, backend.region_name
    for mapping in order.data.get("BlockDeviceMappings", []):
        key_id = mapping.get("Ebs", {}).get("KmsKeyId")
        if not key_id:
            continue
        kms = kms_backends[account][region]
        try:
            key = kms.keys[kms.any_id_to_key_id(key_id)]
            usable = key.key_state == "Enabled" and may_use(
                json.loads(key.policy), key.grants.values(), account, region
            )
        except KeyError:
            usable = False
        if not usable:
            raise EC2ClientError(
                "Client.InvalidKMSKey.InvalidState",
                f"Instance became unhealthy while waiting for instance to be in InService state. "
                f"Termination Reason: Client.InvalidKMSKey.InvalidState: The KMS key provided is "
                f"in an incorrect state, or Auto Scaling's service-linked role may not use it: "
                f"{key_id}",
            )


def launch(order: Order) -> Instance:
    """Launch one instance. Raises EC2ClientError."""
    check(order)
    check_keys(order)
    backend, data, group = order.group.ec2_backend, order.data, order.group
    tags = convert_tag_spec(data.get("TagSpecifications", []))
    template = order.version.template
    mine = {
        **group.get_propagated_tags(),
        ASG_NAME_TAG: group.name,
        "aws:ec2launchtemplate:id": template.id,
        "aws:ec2launchtemplate:version": str(order.version.number),
    }
    options: dict[str, Any] = {
        "instance_type": data["InstanceType"],
        "is_instance_type_default": False,
        "region_name": backend.region_name,
        "subnet_id": order.subnet.id,
        "security_group_ids": list(data.get("SecurityGroupIds", [])),
        "nics": [
            {"DeviceIndex": 0, **spec, "SubnetId": order.subnet.id}
            for spec in data.get("NetworkInterfaces", [])
        ],
        "key_name": data.get("KeyName"),
        "ebs_optimized": data.get("EbsOptimized") or False,
        "monitoring_state": _monitoring(data),
        "metadata_options": data.get("MetadataOptions", {}),
        "disable_api_termination": data.get("DisableApiTermination") or False,
        "instance_market_options": "spot" if order.spot else {},
        "tags": {
            "instance": {**tags.get("instance", {}), **mine},
            "volume": tags.get("volume", {}),
        },
    }
    if data.get("BlockDeviceMappings"):
        options["block_device_mappings"] = [
            {**mapping, "Ebs": {"DeleteOnTermination": True, **mapping.get("Ebs", {})}}
            for mapping in data["BlockDeviceMappings"]
        ]
    profile = _profile(backend, data)
    made = backend.run_instances(data["ImageId"], 1, data.get("UserData"), [], **options)
    instance: Instance = made.instances[0]
    if profile is not None:
        backend.associate_iam_instance_profile(
            instance_id=instance.id, iam_instance_profile_name=profile
        )
    return instance


def wants_spot(group: FakeAutoScalingGroup, data: Data, on_demand: int, spot: int) -> bool:
    """Whether the next instance is a spot instance; `on_demand` and `spot` are there already."""
    market = data.get("InstanceMarketOptions", {}).get("MarketType")
    policy = (group.mixed_instances_policy or {}).get("InstancesDistribution")
    if policy is None:
        return bool(market == "spot")
    base = int(policy.get("OnDemandBaseCapacity") or 0)
    share = policy.get("OnDemandPercentageAboveBaseCapacity")
    percent = 100 if share is None else int(share)
    if on_demand < base:
        return False
    above = on_demand - base + spot + 1
    return on_demand - base >= -(-above * percent // 100)


def _groups(data: Data) -> list[str]:
    named = list(data.get("SecurityGroupIds", []))
    return named + [g for spec in data.get("NetworkInterfaces", []) for g in spec.get("Groups", [])]


def _profile(backend: EC2Backend, data: Data) -> str | None:
    """Name of the instance profile. Raises EC2ClientError when there is none of that name."""
    asked = data.get("IamInstanceProfile") or {}
    if not asked:
        return None
    found = None
    try:
        found = filter_iam_instance_profiles(
            backend.account_id, backend.partition, asked.get("Arn"), asked.get("Name")
        )
    except Exception as error:  # IAM's own error, in whose format EC2 does not answer
        raise _no_profile(asked) from error
    if found is None:
        raise _no_profile(asked)
    return str(found.name)


def _no_profile(asked: Data) -> EC2ClientError:
    name = asked.get("Name") or asked.get("Arn")
    return EC2ClientError(
        "InvalidParameterValue",
        f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance "
        "Profile name",
    )


def _monitoring(data: Data) -> str:
    return "enabled" if data.get("Monitoring", {}).get("Enabled") else "disabled"
