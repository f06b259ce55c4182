"""Resources as they are now: refresh, import and data sources."""

from pulumi.runtime.proto import provider_pb2

from lab.engine.aws.differences import top_level
from lab.engine.aws.schema import Block
from lab.engine.aws.state import RawState, output_struct, resource_outputs
from lab.engine.aws.terraform_client import Client, check, unpack
from lab.engine.aws.terraform_resources import Resource
from lab.engine.aws.values import to_properties, to_terraform
from lab.engine.properties import Properties, encode

NOTHING = Properties({}, frozenset(), frozenset())
COMPUTED_BY_CONVENTION = frozenset({"id", "tags_all"})
"""Attributes that the schema lets a program set although only the provider does."""


def refreshed(
    resource: Resource, identifier: str, prior: RawState, known: Properties, inputs: Properties
) -> provider_pb2.ReadResponse:
    """The resource as it is now.

    Where reality has moved, the inputs follow it, so that an ignored property that something else
    writes is not set back by the next update.

    Raises ProviderError.
    """
    state = resource.read(prior)
    if state is None:
        return provider_pb2.ReadResponse()
    properties = to_properties(resource.block, state.values)
    moved = {top_level(change.property_path) for change in resource.changes(prior, state)}
    current = {
        name: properties.get(name) if name in moved else value
        for name, value in inputs.values.items()
    }
    secrets = Properties(
        {}, known.secret_names | inputs.secret_names, known.secret_texts | inputs.secret_texts
    )
    return provider_pb2.ReadResponse(
        id=state.values.get("id") or identifier,
        properties=resource_outputs(resource.block, state, secrets),
        inputs=encode(current, inputs.secret_names),
    )


def written(resource: Resource, identifier: str, known: Properties) -> RawState:
    """The state of a resource whose properties somebody wrote into the stack's state: the official
    provider takes those without its own bookkeeping for a state of the current schema.

    Raises PropertyError.
    """
    properties = {name: value for name, value in known.values.items() if name != "id"}
    values = to_terraform(resource.block, properties)
    return RawState({**values, "id": identifier}, b"", resource.schema.version)


def imported(resource: Resource, identifier: str) -> provider_pb2.ReadResponse:
    """A resource that exists already, with the inputs that would make it. Raises ProviderError."""
    state = resource.import_state(identifier)
    if state is None:
        return provider_pb2.ReadResponse()
    settable = _settable(resource.block)
    properties = to_properties(resource.block, state.values)
    inputs = {name: value for name, value in properties.items() if name in settable and value}
    return provider_pb2.ReadResponse(
        id=state.values.get("id") or identifier,
        properties=resource_outputs(resource.block, state, NOTHING),
        inputs=encode(inputs, resource.block.sensitive_properties & inputs.keys()),
    )


def _settable(block: Block) -> set[str]:
    attributes = {
        attribute.property
        for attribute in block.attributes.values()
        if attribute.settable and attribute.name not in COMPUTED_BY_CONVENTION
    }
    return attributes | {nested.property for nested in block.blocks.values()}


def invoked(
    client: Client, type_name: str, block: Block, arguments: Properties
) -> provider_pb2.InvokeResponse:
    """The result of a data source; raises PropertyError and ProviderError."""
    response = client.call(
        "ReadDataSource",
        client.messages.ReadDataSource.Request(
            type_name=type_name, config=client.dynamic(to_terraform(block, arguments.values))
        ),
    )
    check(response.diagnostics)
    answer = provider_pb2.InvokeResponse()
    result = output_struct(
        block, unpack(response.state), None, Properties({}, frozenset(), arguments.secret_texts)
    )
    getattr(answer, "return").CopyFrom(result)  # a keyword of Python
    return answer
