"""A plan as the engine's answer to Diff."""

from collections.abc import Iterable

from pulumi.runtime.proto import provider_pb2

from lab.engine.aws.autoname import name_is_fixed
from lab.engine.aws.plan_changes import Change, ignored
from lab.engine.aws.terraform_resources import Plan, Resource
from lab.engine.properties import Properties


def top_level(property_path: str) -> str:
    """The property at the head of a path."""
    return property_path.partition(".")[0].partition("[")[0]


def difference(
    resource: Resource,
    plan: Plan,
    inputs: Properties,
    old_inputs: Properties,
    ignore: Iterable[str],
) -> provider_pb2.DiffResponse:
    """What an update would change, and whether it must replace."""
    patterns = list(ignore)
    relevant = [change for change in plan.changes if not ignored(change.property_path, patterns)]
    replacing = [change for change in plan.replacing if change in relevant]
    response = provider_pb2.DiffResponse(
        changes=(
            provider_pb2.DiffResponse.DIFF_SOME if relevant else provider_pb2.DiffResponse.DIFF_NONE
        ),
        replaces=_properties(replacing),
        diffs=_properties(relevant),
        deleteBeforeReplace=bool(replacing)
        and name_is_fixed(resource.type_name, resource.block, inputs.values, old_inputs.values),
        hasDetailedDiff=True,
    )
    for change in relevant:
        name = top_level(change.property_path)
        kind = change.kind + ("_REPLACE" if change in replacing else "")
        response.detailedDiff[change.property_path].CopyFrom(
            provider_pb2.PropertyDiff(
                kind=provider_pb2.PropertyDiff.Kind.Value(kind),
                # What the program said is clearer than what the provider keeps of it, such as
                # the hash of user data.
                inputDiff=inputs.values.get(name) != old_inputs.values.get(name),
            )
        )
    return response


def _properties(changes: Iterable[Change]) -> list[str]:
    return list(dict.fromkeys(top_level(change.property_path) for change in changes))
