"""Machine images.

Stock moto lists 1,285 images without a Debian one among them, calls every image the property of
`amazon`, says nothing of ENA and gives every image a 15 GiB magnetic root volume that outlives its
instance. `lab/cloud/images.json` (through MOTO_AMIS_PATH) holds two official Debian 13 builds per
architecture, so that "the most recent" can be wrong.
"""

from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami

from lab.cloud.corrections.patching import Method, extends

ROOT_GIB = 8
"""Root volume of the official Debian images."""


@extends(EC2Backend, "_load_amis")
def load_images(original: Method, backend: EC2Backend) -> None:
    """Load the list and take the alias of Amazon off, or `owners: amazon` would find Debian's
    images."""
    original(backend)
    for image in backend.amis.values():
        image.owner_alias = None


@extends(Ami, "get_filter_value")
def get_filter_value(
    original: Method, image: Ami, filter_name: str, method_name: str | None = None
) -> object:
    """Knows the filter `ena-support`, too."""
    if filter_name == "ena-support":
        return "true"
    return original(image, filter_name, method_name)


def _devices(image: Ami) -> list[dict[str, object]]:
    return [
        {
            "DeviceName": image.root_device_name,
            "Ebs": {
                "SnapshotId": image.ebs_snapshot.id,
                "VolumeSize": ROOT_GIB,
                "VolumeType": "gp3",
                "DeleteOnTermination": True,
                "Encrypted": False,
            },
        }
    ]


setattr(Ami, "block_device_mappings", property(_devices))  # noqa: B010 - mypy would want moto's own type
setattr(Ami, "ena_support", True)  # noqa: B010 - an attribute that moto does not have
