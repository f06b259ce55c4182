"""The state of a stack as `pulumi stack export` gives it: what was under way, and how it is
recorded. Values in, values out.

Before the engine asks a provider to create a resource it writes the resource, without an id, into
the list of pending operations. An engine that is killed before it hears the answer leaves it there:
whether the resource exists is for AWS to say (`recovery.lookups`).

A resource that exists is recorded as the engine would have recorded it, with its inputs in the
place of the outputs, which the next refresh fills in. `pulumi refresh --import-pending-creates` is
for this, and Pulumi 3.276 forgets the resource instead (a test shows it). An import from nothing
but the id would lose what AWS does not tell, such as an instance's user data, and the next update
would replace the instance for it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
"""A JSON object of the export."""

_ACCOUNT = re.compile(r"^arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(\d{12}):")


@dataclass(frozen=True)
class Creation:
    """A resource whose creation was under way."""

    urn: str
    type: str
    """Pulumi's type token."""
    inputs: Document
    """What the provider was given; secrets are encrypted."""
    provider: str
    """Reference to the provider: URN, `::`, id."""

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.split("::", 3)[3]

    def __str__(self) -> str:
        """`ec2.Instance prod-etcd-1`, as the lab's progress has it."""
        package, module, kind = self.type.split(":")
        scope = module.partition("/")[0]
        return f"{package if scope == 'index' else scope}.{kind} {self.name}"


@dataclass(frozen=True)
class Region:
    """Where a provider works."""

    name: str | None
    """None if the stack does not say: it was the environment's."""
    profile: str | None


@dataclass(frozen=True)
class Fate:
    """What is done with what exists of one creation, by id."""

    kept: str | None
    """Recorded as the resource."""
    spare: tuple[str, ...]
    """Recorded as left over, which the next update deletes."""


def creations(export: Document) -> list[Creation]:
    """The creations that were under way, each resource once."""
    found = {}
    for operation in _operations(export):
        if operation["type"] == "creating":
            resource = operation["resource"]
            found[resource["urn"]] = Creation(
                urn=resource["urn"],
                type=resource["type"],
                inputs=resource.get("inputs") or {},
                provider=resource.get("provider") or "",
            )
    return list(found.values())


def interrupted(export: Document) -> int:
    """How many operations of other kinds were under way. A refresh shows what became of them."""
    return sum(operation["type"] != "creating" for operation in _operations(export))


def ids(export: Document, kind: str) -> frozenset[str]:
    """The ids of the recorded resources of a type. One that was deleted for its successor's sake
    does not count: the successor may have its id."""
    return frozenset(
        str(resource["id"])
        for resource in _resources(export)
        if resource["type"] == kind and resource.get("id") and not _makes_room(resource)
    )


def accounts(export: Document) -> frozenset[str]:
    """The AWS accounts that the recorded resources are in, as far as their ARNs say."""
    return frozenset(
        match[1]
        for resource in _resources(export)
        if resource["type"].startswith("aws:")
        and (match := _ACCOUNT.match(str((resource.get("outputs") or {}).get("arn", ""))))
    )


def region(export: Document, creation: Creation) -> Region:
    """Where the resource was being created, as its provider's inputs say."""
    urn = creation.provider.rpartition("::")[0]
    inputs: Document = next(
        (one.get("inputs") or {} for one in _resources(export) if one["urn"] == urn), {}
    )
    return Region(inputs.get("region") or None, inputs.get("profile") or None)


def recorded(export: Document, fates: Mapping[str, Fate]) -> dict[str, Any]:
    """The state with the fates by URN recorded, and nothing under way any more."""
    deployment = dict(export["deployment"])
    pending = {one["resource"]["urn"]: one["resource"] for one in _creating(export)}
    new: dict[str, Document] = {}
    doomed = []
    for urn, fate in fates.items():
        if fate.kept:
            new[urn] = _resource(pending[urn], fate.kept)
        for identifier in fate.spare:
            left = _resource(pending[urn], identifier)
            left.pop("resourceHooks", None)  # gates ask about nodes, and this one serves nobody
            doomed.append({**left, "delete": True, "protect": False})
    before = [one for one in _resources(export) if one["urn"] not in new or not _makes_room(one)]
    deployment["resources"] = _ordered([*before, *new.values(), *doomed])
    deployment.pop("pending_operations", None)
    return {**export, "deployment": deployment}


def fate(export: Document, urn: str, identifiers: Sequence[str], *, anew: bool) -> Fate:
    """What is done with what exists of a creation.

    The first becomes the resource itself, unless it is to be created `anew` or the state has one
    already: one that another update created after the kill, or one that was about to be replaced.
    """
    taken = any(
        one["urn"] == urn and not _makes_room(one) and not _doomed(one)
        for one in _resources(export)
    )
    if taken or anew or not identifiers:
        return Fate(None, tuple(identifiers))
    return Fate(identifiers[0], tuple(identifiers[1:]))


def _operations(export: Document) -> Sequence[Document]:
    return export["deployment"].get("pending_operations") or []


def _creating(export: Document) -> Iterator[Document]:
    return (operation for operation in _operations(export) if operation["type"] == "creating")


def _resources(export: Document) -> Sequence[Document]:
    return export["deployment"].get("resources") or []


def _makes_room(resource: Document) -> bool:
    """Whether it was deleted already, and is kept only until its successor is there."""
    return bool(resource.get("pendingReplacement"))


def _doomed(resource: Document) -> bool:
    return bool(resource.get("delete"))


def _resource(pending: Document, identifier: str) -> dict[str, Any]:
    outputs = {**_without_marks(pending.get("inputs") or {}), "id": identifier}
    return {**pending, "id": identifier, "outputs": outputs}


def _without_marks(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A value without the bookkeeping that providers keep in inputs."""
    if isinstance(value, dict):
        return {key: _without_marks(item) for key, item in value.items() if key != "__defaults"}
    if isinstance(value, list):
        return [_without_marks(item) for item in value]
    return value


def _ordered(resources: Sequence[Document]) -> list[Document]:
    """In an order in which everything comes after what it depends on, else as it was; those to
    delete are last, as the engine has them."""
    by_urn = {one["urn"]: one for one in resources if _doomed(one)}
    by_urn |= {one["urn"]: one for one in resources if not _doomed(one)}
    placed: dict[int, Document] = {}

    def place(resource: Document) -> None:
        if id(resource) in placed:
            return
        for urn in _dependencies(resource):
            if urn in by_urn and by_urn[urn] is not resource and not _doomed(by_urn[urn]):
                place(by_urn[urn])
        placed[id(resource)] = resource

    for resource in sorted(resources, key=_doomed):
        place(resource)
    return list(placed.values())


def _dependencies(resource: Document) -> Iterator[str]:
    yield resource.get("parent") or ""
    yield (resource.get("provider") or "").rpartition("::")[0]
    yield resource.get("deletedWith") or ""
    yield from resource.get("dependencies") or []
    for urns in (resource.get("propertyDependencies") or {}).values():
        yield from urns or []
