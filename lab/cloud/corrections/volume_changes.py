# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""Changes of EBS volumes, and their detachment.

Stock moto shrinks a volume, changes it as often as one likes, takes figures that no gp3 volume has,
answers 500 to a DetachVolume without an instance, and calls it InvalidAttachment.NotFound when the
volume is attached to nothing. There AWS says IncorrectState, which the provider takes for "done": a
deletion that is repeated after a killed update would fail here and not in AWS.
"""

from datetime import UTC, datetime, timedelta

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_block_store import Volume
from moto.ec2.responses import EC2Response

from lab.cloud.corrections.patching import Method, extends, given

CHANGES, WINDOW = 4, timedelta(hours=24)
"""How often a volume may be changed (EBS guide, "Request modifications to your EBS volumes"; it was
once in 6 hours until January 2026)."""

SIZES = (1, 65536)
IOPS = (3000, 80000)
THROUGHPUTS = (125, 2000)
IOPS_PER_GIB = 500
THROUGHPUT_PER_IOPS = 0.25
"""What a gp3 volume can have: GiB, operations per second, MiB/s (EBS guide, "General Purpose SSD
volumes", since September 2025)."""


@extends(EC2Backend, "create_volume")
def create_volume(original: Method, backend: EC2Backend, *args: object, **kwargs: object) -> Volume:
    """CreateVolume. Raises InvalidParameterValue."""
    asked = given(original, backend, *args, **kwargs)
    # A volume from a snapshot has the snapshot's size.
    if asked["volume_type"] == "gp3" and not asked["snapshot_id"]:
        _check(asked["size"], asked["iops"], asked["throughput"])
    volume: Volume = original(backend, *args, **kwargs)
    return volume


@extends(EC2Backend, "modify_volume")
def modify_volume(original: Method, backend: EC2Backend, *args: object, **kwargs: object) -> Volume:
    """ModifyVolume. Raises InvalidParameterValue, VolumeModificationRateExceeded."""
    asked = given(original, backend, *args, **kwargs)
    volume = backend.get_volume(asked["volume_id"])
    size = asked["target_size"] or volume.size
    if int(size) < int(volume.size):
        raise EC2ClientError(
            "InvalidParameterValue",
            f"New size cannot be smaller than existing size ({size} < {volume.size})",
        )
    if (asked["target_volume_type"] or volume.volume_type) == "gp3":
        _check(
            size,
            asked["target_iops"] or volume.iops,
            asked["target_throughput"] or volume.throughput,
        )
    since = datetime.now(UTC) - WINDOW
    recent = [one for one in volume.modifications if one.start_time.astimezone(UTC) > since]
    if len(recent) >= CHANGES:
        raise EC2ClientError(
            "VolumeModificationRateExceeded",
            f"You've reached the maximum modification rate per volume limit for {volume.id}. Wait "
            "until fewer than four modifications were made within 24 hours.",
        )
    changed: Volume = original(backend, *args, **kwargs)
    return changed


def _check(size: object, iops: object, throughput: object) -> None:
    gib = int(str(size or 0))
    operations = int(str(iops or IOPS[0]))
    mib = int(str(throughput or THROUGHPUTS[0]))
    for name, value, (least, most) in (
        ("size", gib, SIZES),
        ("iops", operations, (IOPS[0], min(IOPS[1], max(IOPS[0], gib * IOPS_PER_GIB)))),
        (
            "throughput",
            mib,
            (THROUGHPUTS[0], min(THROUGHPUTS[1], int(operations * THROUGHPUT_PER_IOPS))),
        ),
    ):
        if not least <= value <= most:
            raise EC2ClientError(
                "InvalidParameterValue",
                f"Volume {name} of {value} is not supported; it must be from {least} to {most}.",
            )


@extends(EC2Response, "detach_volume")
def detach_volume(original: Method, response: EC2Response) -> ActionResult:
    """DetachVolume. Raises IncorrectState when it is detached, and OperationNotPermitted for the
    root volume of a machine that runs. The instance and the device may be left out."""
    volume = response.ec2_backend.get_volume(response._get_param("VolumeId"))
    if volume.attachment is None:
        raise EC2ClientError("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    instance = volume.attachment.instance
    if volume.attachment.device == instance.root_device_name and instance.state != "stopped":
        raise EC2ClientError(
            "OperationNotPermitted",
            f"Unable to detach root volume '{volume.id}' from instance '{instance.id}'",
        )
    if not response._get_param("InstanceId"):
        response.params["InstanceId"] = instance.id
    answer: ActionResult = original(response)
    return answer
