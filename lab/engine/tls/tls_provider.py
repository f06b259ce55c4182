"""Pulumi's provider protocol for keys and certificates."""

# ruff: noqa: N802, ARG002, ANN401 names, signatures and untyped values are the gRPC service's

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2

from lab.engine.answers import answered
from lab.engine.model import RefusedError
from lab.engine.properties import UNKNOWN, Properties, decode, encode
from lab.engine.stand_in import StandIn
from lab.engine.tls.tls_resources import ResourceType, ready_for_renewal, resource_type

NONE = provider_pb2.DiffResponse.DIFF_NONE
SOME = provider_pb2.DiffResponse.DIFF_SOME
UPDATE = provider_pb2.PropertyDiff.UPDATE
REPLACE = provider_pb2.PropertyDiff.UPDATE_REPLACE


class Provider(StandIn):
    """The tls provider as the engine sees it. What fails is the error of its call."""

    def __init__(self, version: str) -> None:
        super().__init__("tls", version)

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Nothing to configure."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Nothing to configure."""
        return provider_pb2.DiffResponse(changes=NONE)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Nothing to configure."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """No call takes long enough to be cut short."""
        return empty_pb2.Empty()

    @answered
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Validate before anything changes."""
        problems = resource_type(request.urn).problems(decode(request.news).values)
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[provider_pb2.CheckFailure(property=at, reason=why) for at, why in problems],
        )

    @answered
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Any change makes a new resource, except of how early it is renewed."""
        kind = resource_type(request.urn)
        outputs = decode(request.olds).values
        before, after = decode(request.old_inputs).values, decode(request.news).values
        changed = {
            name
            for name in kind.required | kind.optional
            if _value(kind, before, name) != _value(kind, after, name)
        } - set(request.ignoreChanges)
        replacing = changed - kind.in_place
        early = {"earlyRenewalHours": _value(kind, after, "earlyRenewalHours")}
        if "validityEndTime" in outputs and ready_for_renewal({**outputs, **early}):
            replacing = replacing | {"readyForRenewal"}
        every = sorted(changed | replacing)
        return provider_pb2.DiffResponse(
            changes=SOME if every else NONE,
            replaces=sorted(replacing),
            diffs=every,
            hasDetailedDiff=True,
            detailedDiff={
                name: provider_pb2.PropertyDiff(
                    kind=REPLACE if name in replacing else UPDATE, inputDiff=name in changed
                )
                for name in every
            },
        )

    @answered
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Make the key, request or certificate."""
        kind = resource_type(request.urn)
        inputs = decode(request.properties)
        complete = {**kind.defaults, **_given(inputs.values)}
        if request.preview:
            unknown = dict.fromkeys(kind.computed, UNKNOWN)
            return provider_pb2.CreateResponse(
                properties=_outputs(kind, complete | unknown, inputs)
            )
        identifier, computed = kind.make(complete)
        outputs = _outputs(kind, complete | computed, inputs)
        return provider_pb2.CreateResponse(id=identifier, properties=outputs)

    @answered
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Take over the inputs that do not make a new resource."""
        kind = resource_type(request.urn)
        inputs, olds = decode(request.news), decode(request.olds)
        kept = {name: olds.values[name] for name in kind.computed if name in olds.values}
        outputs = _outputs(kind, {**kind.defaults, **_given(inputs.values), **kept}, inputs)
        return provider_pb2.UpdateResponse(properties=outputs)

    def Delete(
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Nothing exists outside the state."""
        return empty_pb2.Empty()

    @answered
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """The state is the resource; only time moves."""
        known = decode(request.properties)
        if not known.values:
            message = "keys and certificates exist in the state only and cannot be imported"
            raise RefusedError(message)
        values = dict(known.values)
        if "validityEndTime" in values:
            values["readyForRenewal"] = ready_for_renewal(values)
        outputs = _outputs(resource_type(request.urn), values, known)
        return provider_pb2.ReadResponse(id=request.id, properties=outputs, inputs=request.inputs)

    @answered
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """The stand-in has no functions."""
        message = f"{request.tok} is not in the tls provider stand-in: install the official plugin"
        raise RefusedError(message)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if v is not None and not k.startswith("__")}


def _value(kind: ResourceType, inputs: Mapping[str, Any], name: str) -> Any:
    value = inputs.get(name)
    return kind.defaults.get(name) if value is None else value


def _outputs(
    kind: ResourceType, values: Mapping[str, Any], inputs: Properties
) -> struct_pb2.Struct:
    return encode(values, kind.secret & values.keys() | inputs.secret_names)
