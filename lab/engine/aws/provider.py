"""Pulumi's provider protocol, answered by a Terraform provider."""

import json
from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lab.engine.answers import abort_with_detail, answered
from lab.engine.aws.autoname import DEFAULTS, filled_in, name_is_fixed
from lab.engine.aws.changes import Change, ignored
from lab.engine.aws.client import TERRAFORM_VERSION, Client, ProviderError, check, unpack
from lab.engine.aws.resources import Applied, Resource
from lab.engine.aws.state import RAW_STATE, RawState, output_struct, raw_state
from lab.engine.aws.store import SchemaStore
from lab.engine.aws.tokens import data_source_type, resource_type
from lab.engine.aws.values import PropertyError, to_properties, to_terraform
from lab.engine.properties import Properties, decode, encode, redacted


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider instance as the engine sees it."""

    def __init__(self, client: Client, schemas: SchemaStore, version: str) -> None:
        self._client = client
        self._schemas = schemas
        self._version = version

    def _resource(self, urn: str) -> Resource:
        token = urn.split("::")[-2].rpartition("$")[2]
        type_name = resource_type(token)
        return Resource(self._client, type_name, self._schemas.resource(type_name))

    # The engine's questions about the plugin itself.

    def GetPluginInfo(self, request, context):
        """The version that the SDK asked for."""
        return plugin_pb2.PluginInfo(version=self._version)

    def Handshake(self, request, context):
        """Secrets are understood; resource and output references are not needed."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetSchema(self, request, context):
        """A package without content: the program uses the generated SDK."""
        schema = json.dumps({"name": "aws", "version": self._version})
        return provider_pb2.GetSchemaResponse(schema=schema)

    def Cancel(self, request, context):
        """Let the Terraform provider end what it waits for."""
        self._client.stop()
        return empty_pb2.Empty()

    # Configuration.

    def _configuration(self, struct: struct_pb2.Struct) -> dict[str, Any]:
        """The provider's Terraform configuration; nested values come as JSON text."""
        values = {}
        for name, value in decode(struct).values.items():
            if name == "version":
                continue
            values[name] = (
                json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value
            )
        return to_terraform(self._schemas.provider().block, values)

    @answered
    def CheckConfig(self, request, context):
        """Let the Terraform provider validate its configuration."""
        response = self._client.call(
            "PrepareProviderConfig",
            self._client.messages.PrepareProviderConfig.Request(
                config=self._client.dynamic(self._configuration(request.news))
            ),
        )
        check(response.diagnostics)
        return provider_pb2.CheckResponse(inputs=request.news)

    @answered
    def DiffConfig(self, request, context):
        """A changed configuration never replaces what the provider manages."""
        before = decode(request.old_inputs or request.olds).values
        changed = before != decode(request.news).values
        some = provider_pb2.DiffResponse.DIFF_SOME
        none = provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some if changed else none)

    @answered
    def Configure(self, request, context):
        """Configure the Terraform provider."""
        response = self._client.call(
            "Configure",
            self._client.messages.Configure.Request(
                terraform_version=TERRAFORM_VERSION,
                config=self._client.dynamic(self._configuration(request.args)),
            ),
        )
        check(response.diagnostics)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    # Resources.

    @answered
    def Check(self, request, context):
        """Fill in names and let the Terraform provider validate, before anything changes."""
        resource = self._resource(request.urn)
        news, olds = decode(request.news), decode(request.olds)
        logical_name = request.urn.rpartition("::")[2]
        defaults = filled_in(
            resource.type_name,
            resource.block,
            news.values,
            olds.values,
            logical_name,
            request.randomSeed or request.urn.encode(),
        )
        inputs = struct_pb2.Struct()
        inputs.CopyFrom(request.news)
        inputs.MergeFrom(encode({**defaults, DEFAULTS: sorted(defaults)}))
        try:
            problems = resource.validate({**news.values, **defaults})
        except PropertyError as problem:
            problems = [(problem.path, problem.reason)]
        return provider_pb2.CheckResponse(
            inputs=inputs,
            failures=[
                provider_pb2.CheckFailure(property=at, reason=redacted(why, news.secret_texts))
                for at, why in problems
            ],
        )

    def _prior(self, resource: Resource, outputs: Properties) -> RawState:
        state = raw_state(outputs.values)
        if state is None:
            message = (
                f"the state of this {resource.type_name} was not written by the AWS provider "
                "stand-in: destroy the stack with the provider that made it, or start a new one"
            )
            raise ProviderError(message)
        return resource.upgraded(state)

    @answered
    def Diff(self, request, context):
        """What an update would change, and whether it must replace."""
        resource = self._resource(request.urn)
        news, old_inputs = decode(request.news), decode(request.old_inputs)
        plan = resource.plan(self._prior(resource, decode(request.olds)), news.values)
        relevant = [
            change
            for change in plan.changes
            if not ignored(change.property_path, request.ignoreChanges)
        ]
        replacing = [change for change in plan.replacing if change in relevant]
        response = provider_pb2.DiffResponse(
            changes=(
                provider_pb2.DiffResponse.DIFF_SOME
                if relevant
                else provider_pb2.DiffResponse.DIFF_NONE
            ),
            replaces=_top_level(replacing),
            diffs=_top_level(relevant),
            deleteBeforeReplace=bool(replacing)
            and name_is_fixed(resource.type_name, resource.block, news.values, old_inputs.values),
            hasDetailedDiff=True,
        )
        for change in relevant:
            top = _top_level([change])[0]
            kind = change.kind + ("_REPLACE" if change in replacing else "")
            response.detailedDiff[change.property_path].CopyFrom(
                provider_pb2.PropertyDiff(
                    kind=provider_pb2.PropertyDiff.Kind.Value(kind),
                    # What the program said is clearer than what the provider keeps of it, such
                    # as the hash of user data.
                    inputDiff=news.values.get(top) != old_inputs.values.get(top),
                )
            )
        return response

    @answered
    def Create(self, request, context):
        """Plan, and unless it is a preview, apply."""
        resource = self._resource(request.urn)
        news = decode(request.properties)
        plan = resource.plan(None, news.values)
        if request.preview:
            planned = {**plan.planned, "id": None}
            return provider_pb2.CreateResponse(properties=_outputs(resource, planned, news))
        applied = resource.apply(None, plan)
        if applied.state is None or not applied.state.values.get("id"):
            raise ProviderError("\n".join(applied.problems) or "nothing was created")
        outputs = _state_outputs(resource, applied.state, news)
        identifier = applied.state.values["id"]
        if applied.problems:
            self._partial(context, identifier, outputs, request.properties, applied)
        return provider_pb2.CreateResponse(id=identifier, properties=outputs)

    @answered
    def Update(self, request, context):
        """Plan, and unless it is a preview, apply."""
        resource = self._resource(request.urn)
        news, olds = decode(request.news), decode(request.olds)
        prior = self._prior(resource, olds)
        plan = resource.plan(prior, news.values)
        if request.preview:
            outputs = _outputs(resource, plan.planned, news, olds.values[RAW_STATE])
            return provider_pb2.UpdateResponse(properties=outputs)
        applied = resource.apply(prior, plan)
        outputs = _state_outputs(resource, applied.state or prior, news)
        if applied.problems:
            self._partial(context, request.id, outputs, request.news, applied)
        return provider_pb2.UpdateResponse(properties=outputs)

    def _partial(
        self,
        context: grpc.ServicerContext,
        identifier: str,
        outputs: struct_pb2.Struct,
        inputs: struct_pb2.Struct,
        applied: Applied,
    ) -> None:
        """Fail, but hand over what exists, so that the next update goes on from there."""
        secrets = decode(inputs).secret_texts
        reasons = [redacted(problem, secrets) for problem in applied.problems]
        detail = provider_pb2.ErrorResourceInitFailed(
            id=identifier, properties=outputs, reasons=reasons, inputs=inputs
        )
        abort_with_detail(context, "\n".join(reasons), detail)

    @answered
    def Delete(self, request, context):
        """Delete the resource."""
        resource = self._resource(request.urn)
        applied = resource.delete(self._prior(resource, decode(request.properties)))
        if applied.problems:
            raise ProviderError("\n".join(applied.problems))
        return empty_pb2.Empty()

    @answered
    def Read(self, request, context):
        """The resource as it is now; inputs follow where reality has moved."""
        resource = self._resource(request.urn)
        known, inputs = decode(request.properties), decode(request.inputs)
        stored = raw_state(known.values)
        if stored is None:
            return self._import(resource, request.id)
        prior = resource.upgraded(stored)
        state = resource.read(prior)
        if state is None:
            return provider_pb2.ReadResponse()
        properties = to_properties(resource.block, state.values)
        moved = {
            change.property_path.partition(".")[0].partition("[")[0]
            for change in resource.changes(prior, state)
        }
        current = {
            name: properties.get(name) if name in moved else value
            for name, value in inputs.values.items()
        }
        names = known.secret_names | inputs.secret_names
        texts = known.secret_texts | inputs.secret_texts
        merged = Properties(current, names, texts)
        return provider_pb2.ReadResponse(
            id=state.values.get("id") or request.id,
            properties=_state_outputs(resource, state, merged),
            inputs=encode(current, inputs.secret_names),
        )

    def _import(self, resource: Resource, identifier: str) -> Any:
        state = resource.import_state(identifier)
        if state is None:
            return provider_pb2.ReadResponse()
        nothing = Properties({}, frozenset(), frozenset())
        settable = {
            attribute.property
            for attribute in resource.block.attributes.values()
            if attribute.settable and attribute.name not in {"id", "tags_all"}
        } | {nested.property for nested in resource.block.blocks.values()}
        properties = to_properties(resource.block, state.values)
        inputs = {name: value for name, value in properties.items() if name in settable and value}
        return provider_pb2.ReadResponse(
            id=state.values.get("id") or identifier,
            properties=_state_outputs(resource, state, nothing),
            inputs=encode(inputs, resource.block.sensitive_properties & inputs.keys()),
        )

    @answered
    def Invoke(self, request, context):
        """Read a data source."""
        type_name = data_source_type(request.tok)
        block = self._schemas.data_source(type_name).block
        arguments = decode(request.args)
        response = self._client.call(
            "ReadDataSource",
            self._client.messages.ReadDataSource.Request(
                type_name=type_name,
                config=self._client.dynamic(to_terraform(block, arguments.values)),
            ),
        )
        check(response.diagnostics)
        result = output_struct(block, unpack(response.state), None, (), arguments.secret_texts)
        return provider_pb2.InvokeResponse(**{"return": result})


def _outputs(
    resource: Resource, state: dict[str, Any], inputs: Properties, raw: str | None = None
) -> struct_pb2.Struct:
    return output_struct(resource.block, state, raw, inputs.secret_names, inputs.secret_texts)


def _state_outputs(resource: Resource, state: RawState, inputs: Properties) -> struct_pb2.Struct:
    return _outputs(resource, state.values, inputs, state.to_text())


def _top_level(changes: Iterable[Change]) -> list[str]:
    """The top-level properties of changes, each once."""
    return list(dict.fromkeys(c.property_path.partition(".")[0].partition("[")[0] for c in changes))
