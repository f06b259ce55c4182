# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""Placement groups.

Stock moto has none: CreatePlacementGroup answers 500, which providers retry up to 25 times, and an
instance's placement group is ignored (a difference in every plan). A spread group holds seven
running instances per zone, so a size that does not fit must fail here too.
"""

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.responses import EC2Response
from moto.ec2.utils import generic_filter
from moto.moto_api._internal import mock_random

from lab.cloud.corrections.patching import LAUNCH_LOCK, Method, extends, replaces, taggable

taggable("placement-group", "pg")

SPREAD = 7
"""Running instances per zone of a group that spreads over racks (EC2 guide, "Placement groups")."""


class PlacementGroup(TaggedEC2Resource):
    """A placement group; attribute names are those that moto's serializer looks for."""

    def __init__(
        self, backend: EC2Backend, name: str, strategy: str, spread_level: str, partitions: int
    ) -> None:
        self.ec2_backend = backend
        self.id = self.group_id = f"pg-{mock_random.get_random_hex(17)}"
        self.group_name = name
        self.group_arn = (
            f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:placement-group/{name}"
        )
        self.state = "available"
        self.strategy = strategy
        self.spread_level = spread_level if strategy == "spread" else None
        self.partition_count = partitions if strategy == "partition" else None

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> object:
        """The value that a DescribePlacementGroups filter compares with."""
        known = {"group-name": self.group_name, "strategy": self.strategy, "state": self.state}
        return known.get(filter_name) or super().get_filter_value(filter_name, method_name)


def held(backend: EC2Backend) -> dict[str, PlacementGroup]:
    """Placement groups by name."""
    groups: dict[str, PlacementGroup] = backend.__dict__.setdefault("placement_groups", {})
    return groups


def _named(backend: EC2Backend, name: str) -> PlacementGroup:
    try:
        return held(backend)[name]
    except KeyError:
        raise EC2ClientError(
            "InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown."
        ) from None


@replaces(EC2Response, "create_placement_group")
def create_placement_group(response: EC2Response) -> ActionResult:
    """CreatePlacementGroup. Raises InvalidPlacementGroup.Duplicate."""
    backend, name = response.ec2_backend, response._get_param("GroupName")
    if name in held(backend):
        raise EC2ClientError(
            "InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists."
        )
    group = PlacementGroup(
        backend,
        name,
        strategy=response._get_param("Strategy", "cluster"),
        spread_level=response._get_param("SpreadLevel", "rack"),
        partitions=response._get_int_param("PartitionCount", 2),
    )
    held(backend)[name] = group
    group.add_tags(response._parse_tag_specification().get("placement-group", {}))
    return ActionResult({"PlacementGroup": group})


@replaces(EC2Response, "describe_placement_groups")
def describe_placement_groups(response: EC2Response) -> ActionResult:
    """DescribePlacementGroups by names, ids and filters. Raises InvalidPlacementGroup.Unknown."""
    backend = response.ec2_backend
    names, ids = response._get_param("GroupNames", []), response._get_param("GroupIds", [])
    groups = [_named(backend, name) for name in names] or list(held(backend).values())
    if ids:
        groups = [group for group in groups if group.id in ids]
        if not groups:
            raise EC2ClientError(
                "InvalidPlacementGroupId.Malformed", f"Unknown placement groups: {', '.join(ids)}"
            )
    return ActionResult(
        {"PlacementGroups": generic_filter(response._filters_from_querystring(), groups)}
    )


@replaces(EC2Response, "delete_placement_group")
def delete_placement_group(response: EC2Response) -> EmptyResult:
    """DeletePlacementGroup. Raises InvalidPlacementGroup.InUse while an instance is in it."""
    backend, name = response.ec2_backend, response._get_param("GroupName")
    _named(backend, name)
    if any(
        instance.placement.group_name == name and instance.state != "terminated"
        for instance in backend.all_instances()
    ):
        raise EC2ClientError(
            "InvalidPlacementGroup.InUse",
            f"The placement group '{name}' is in use and may not be deleted.",
        )
    del held(backend)[name]
    return EmptyResult()


@extends(EC2Response, "run_instances")
def run_instances(original: Method, response: EC2Response) -> ActionResult:
    """Launch into the group that the request names. Raises InvalidPlacementGroup.Unknown, and
    InsufficientInstanceCapacity when a spread group is full; the guide has the limit, not the
    code."""
    name = response._get_param("Placement.GroupName")
    if not name:
        launched: ActionResult = original(response)
        return launched
    with LAUNCH_LOCK:
        _check_spread(response, _named(response.ec2_backend, name))
        answer: ActionResult = original(response)
        for instance in answer.result.instances:  # type: ignore[attr-defined] # moto types it as object
            instance.placement.group_name = name
    return answer


def _check_spread(response: EC2Response, group: PlacementGroup) -> None:
    backend, subnet_id = response.ec2_backend, response._get_param("SubnetId")
    if group.spread_level != "rack" or not subnet_id:
        return
    zone = backend.get_subnet(subnet_id).availability_zone
    there = [
        instance
        for instance in backend.all_instances()
        if instance.placement.group_name == group.group_name
        and instance.availability_zone == zone
        and instance.state in {"pending", "running"}
    ]
    if len(there) + int(response._get_param("MinCount") or 1) > SPREAD:
        raise EC2ClientError(
            "InsufficientInstanceCapacity",
            f"The spread placement group '{group.group_name}' has {SPREAD} running instances in "
            f"{zone}, which is the most.",
        )
