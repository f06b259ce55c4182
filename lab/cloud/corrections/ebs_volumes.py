# ruff: noqa: SLF001 - moto has no public name for what is corrected here
"""EBS volumes.

Stock moto drops throughput and IOPS of a root volume and has no default throughput for gp3
(differences in every plan), and it attaches a volume of another zone, or one that is attached
elsewhere, without a word: the two mistakes that a rolling replacement of etcd members must not make
would pass unseen.
"""

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_block_store import Volume, VolumeAttachment
from moto.ec2.models.instances import Instance, Reservation
from moto.ec2.responses import EC2Response

from lab.cloud.corrections.patching import Method, extends, replaces

GP3_THROUGHPUT = 125
"""MiB/s of a gp3 volume for which none was asked (EBS guide)."""


@extends(EC2Backend, "create_volume")
def create_volume(original: Method, backend: EC2Backend, *args: object, **kwargs: object) -> Volume:
    """Give gp3 volumes their default throughput."""
    if kwargs.get("volume_type") == "gp3" and not kwargs.get("throughput"):
        kwargs["throughput"] = GP3_THROUGHPUT
    volume: Volume = original(backend, *args, **kwargs)
    return volume


@extends(EC2Backend, "attach_volume")
def attach_volume(
    original: Method,
    backend: EC2Backend,
    volume_id: str,
    instance_id: str,
    device_path: str,
    *args: object,
    **kwargs: object,
) -> VolumeAttachment:
    """AttachVolume with the refusals of AWS: InvalidVolume.ZoneMismatch, VolumeInUse,
    IncorrectState, device in use."""
    volume, instance = backend.get_volume(volume_id), backend.get_instance(instance_id)
    if volume.availability_zone != instance.availability_zone:
        raise EC2ClientError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume_id}' is not in the same availability zone as instance "
            f"'{instance_id}'",
        )
    if volume.attachment:
        raise EC2ClientError("VolumeInUse", f"{volume_id} is already attached to an instance")
    if instance.state not in {"pending", "running", "stopped"}:
        raise EC2ClientError("IncorrectState", f"Instance '{instance_id}' is not 'running'.")
    if device_path in instance.block_device_mapping:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Invalid value '{device_path}' for unixDevice. "
            f"Attachment point {device_path} is already in use",
        )
    attachment: VolumeAttachment = original(
        backend, volume_id, instance_id, device_path, *args, **kwargs
    )
    return attachment


@extends(EC2Response, "_parse_block_device_mapping")
def parse_block_device_mapping(original: Method, response: EC2Response) -> list[dict[str, object]]:
    """Keep the throughput of a launch's volumes."""
    mappings: list[dict[str, object]] = original(response)
    for mapping, asked in zip(
        mappings, response._get_param("BlockDeviceMappings", []), strict=True
    ):
        mapping["Ebs"]["Throughput"] = asked.get("Ebs", {}).get("Throughput")  # type: ignore[index] # a nested mapping
    return mappings


@extends(EC2Backend, "run_instances")
def run_instances(
    original: Method, backend: EC2Backend, *args: object, **kwargs: object
) -> Reservation:
    """Apply IOPS and throughput to the volumes of a launch."""
    reservation: Reservation = original(backend, *args, **kwargs)
    mappings = kwargs.get("block_device_mappings")
    for mapping in mappings if isinstance(mappings, list) else []:
        for instance in reservation.instances:
            device = instance.block_device_mapping.get(mapping["DeviceName"])
            if device is None:
                continue
            volume = backend.get_volume(device.volume_id)
            volume.iops = int(mapping["Ebs"].get("Iops") or volume.iops or 0) or None
            volume.throughput = (
                int(mapping["Ebs"].get("Throughput") or volume.throughput or 0) or None
            )
    return reservation


@replaces(Instance, "setup_defaults")
def setup_defaults(instance: Instance) -> None:
    """A launch that says nothing about volumes gets the image's root volume, not /dev/sda1."""
    instance.add_block_device(
        size=8,
        device_path=instance.root_device_name,
        snapshot_id=None,
        encrypted=False,
        delete_on_termination=True,
        kms_key_id=None,
        volume_type="gp3",
    )
