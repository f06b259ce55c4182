"""Pulumi's provider protocol, answered by a Terraform provider."""

# ruff: noqa: N802, ARG002 names and signatures are those of the gRPC service

import json
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2

from lab.engine.answers import PartialError, answered
from lab.engine.aws.autoname import DEFAULTS, filled_in
from lab.engine.aws.differences import difference
from lab.engine.aws.reading import imported, invoked, refreshed, written
from lab.engine.aws.state import RAW_STATE, RawState, output_struct, raw_state, resource_outputs
from lab.engine.aws.store import SchemaStore
from lab.engine.aws.terraform_client import TERRAFORM_VERSION, Client, ProviderError, check
from lab.engine.aws.terraform_resources import Applied, Resource
from lab.engine.aws.tokens import data_source_type, resource_type
from lab.engine.aws.values import PropertyError, to_terraform
from lab.engine.properties import Properties, decode, encode, redacted
from lab.engine.stand_in import StandIn


class Provider(StandIn):
    """One provider instance as the engine sees it. What fails is the error of its call."""

    def __init__(self, client: Client, schemas: SchemaStore, version: str) -> None:
        super().__init__("aws", version)
        self._client = client
        self._schemas = schemas

    def _resource(self, urn: str) -> Resource:
        type_name = resource_type(urn.split("::")[-2].rpartition("$")[2])
        return Resource(self._client, type_name, self._schemas.resource(type_name))

    def _prior(self, resource: Resource, outputs: Properties) -> RawState:
        state = raw_state(outputs.values)
        if state is None:
            message = (
                f"the state of this {resource.type_name} was not written by the AWS provider "
                "stand-in: destroy the stack with the provider that made it, or start a new one"
            )
            raise ProviderError(message)
        return resource.upgraded(state)

    def _configuration(self, struct: struct_pb2.Struct) -> dict[str, Any]:
        """The provider's Terraform configuration; nested values come as JSON text."""
        values = {
            name: json.loads(value) if isinstance(value, str) and value[:1] in "[{" else value
            for name, value in decode(struct).values.items()
            if name != "version" and value not in (None, "")
        }
        return to_terraform(self._schemas.provider().block, values)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Let the Terraform provider end what it waits for."""
        self._client.stop()
        return empty_pb2.Empty()

    @answered
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
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
    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """A changed configuration never replaces what the provider manages."""
        changed = decode(request.old_inputs).values != decode(request.news).values
        some = provider_pb2.DiffResponse.DIFF_SOME
        none = provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some if changed else none)

    @answered
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
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

    @answered
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Fill in names and let the Terraform provider validate, before anything changes."""
        resource = self._resource(request.urn)
        news, olds = decode(request.news), decode(request.olds)
        defaults = filled_in(
            resource.type_name,
            resource.block,
            news=news.values,
            olds=olds.values,
            logical_name=request.urn.rpartition("::")[2],
            seed=request.randomSeed or request.urn.encode(),
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

    @answered
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """What an update would change, and whether it must replace."""
        resource = self._resource(request.urn)
        news = decode(request.news)
        plan = resource.plan(self._prior(resource, decode(request.olds)), news.values)
        old_inputs = decode(request.old_inputs)
        return difference(resource, plan, news, old_inputs, request.ignoreChanges)

    @answered
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Plan, and unless it is a preview, apply."""
        resource = self._resource(request.urn)
        news = decode(request.properties)
        plan = resource.plan(None, news.values)
        if request.preview:
            planned = {**plan.planned, "id": None}
            outputs = output_struct(resource.block, planned, None, news)
            return provider_pb2.CreateResponse(properties=outputs)
        applied = resource.apply(None, plan)
        if applied.state is None or not applied.state.values.get("id"):
            raise ProviderError("\n".join(applied.problems) or "nothing was created")
        outputs = resource_outputs(resource.block, applied.state, news)
        identifier = applied.state.values["id"]
        if applied.problems:
            raise _partial(identifier, outputs, request.properties, applied)
        return provider_pb2.CreateResponse(id=identifier, properties=outputs)

    @answered
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Plan, and unless it is a preview, apply."""
        resource = self._resource(request.urn)
        news, olds = decode(request.news), decode(request.olds)
        prior = self._prior(resource, olds)
        plan = resource.plan(prior, news.values)
        if request.preview:
            raw = olds.values[RAW_STATE]
            outputs = output_struct(resource.block, plan.planned, raw, news)
            return provider_pb2.UpdateResponse(properties=outputs)
        applied = resource.apply(prior, plan)
        outputs = resource_outputs(resource.block, applied.state or prior, news)
        if applied.problems:
            raise _partial(request.id, outputs, request.news, applied)
        return provider_pb2.UpdateResponse(properties=outputs)

    @answered
    def Delete(
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Delete the resource."""
        resource = self._resource(request.urn)
        applied = resource.delete(self._prior(resource, decode(request.properties)))
        if applied.problems:
            raise ProviderError("\n".join(applied.problems))
        return empty_pb2.Empty()

    @answered
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """The resource as it is now, or one that is to be taken over."""
        resource = self._resource(request.urn)
        known = decode(request.properties)
        if not known.values:
            return imported(resource, request.id)
        if raw_state(known.values) is None:
            prior = written(resource, request.id, known)
        else:
            prior = self._prior(resource, known)
        return refreshed(resource, request.id, prior, known, decode(request.inputs))

    @answered
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """Read a data source."""
        type_name = data_source_type(request.tok)
        block = self._schemas.data_source(type_name).block
        return invoked(self._client, type_name, block, decode(request.args))


def _partial(
    identifier: str, outputs: struct_pb2.Struct, inputs: struct_pb2.Struct, applied: Applied
) -> PartialError:
    """The failure that hands over what exists, so that the next update goes on from there."""
    secrets = decode(inputs).secret_texts
    reasons = [redacted(problem, secrets) for problem in applied.problems]
    detail = provider_pb2.ErrorResourceInitFailed(
        id=identifier, properties=outputs, reasons=reasons, inputs=inputs
    )
    return PartialError("\n".join(reasons), detail)
