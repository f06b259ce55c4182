"""Pulumi's provider protocol for keys and certificates."""

import json
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lab.engine.answers import answered
from lab.engine.model import Refusal
from lab.engine.properties import UNKNOWN, Properties, decode, encode
from lab.engine.tls.resources import ResourceType, ready_for_renewal, resource_type

NONE = provider_pb2.DiffResponse.DIFF_NONE
SOME = provider_pb2.DiffResponse.DIFF_SOME
UPDATE = provider_pb2.PropertyDiff.UPDATE
REPLACE = provider_pb2.PropertyDiff.UPDATE_REPLACE


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The tls provider as the engine sees it."""

    def __init__(self, version: str) -> None:
        self._version = version

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The version that the SDK asked for."""
        return plugin_pb2.PluginInfo(version=self._version)

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Secrets are understood; resource and output references are not needed."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A package without content: the program uses the generated SDK."""
        schema = json.dumps({"name": "tls", "version": self._version})
        return provider_pb2.GetSchemaResponse(schema=schema)

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Nothing to configure."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Nothing to configure."""
        return provider_pb2.DiffResponse(changes=NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Nothing to configure."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """No call takes long enough to be cut short."""
        return empty_pb2.Empty()

    @answered
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Validate before anything changes."""
        problems = resource_type(request.urn).problems(decode(request.news).values)
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[provider_pb2.CheckFailure(property=at, reason=why) for at, why in problems],
        )

    @answered
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
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
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
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
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take over the inputs that do not make a new resource."""
        kind = resource_type(request.urn)
        inputs, olds = decode(request.news), decode(request.olds)
        kept = {name: olds.values[name] for name in kind.computed if name in olds.values}
        outputs = _outputs(kind, {**kind.defaults, **_given(inputs.values), **kept}, inputs)
        return provider_pb2.UpdateResponse(properties=outputs)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Nothing exists outside the state."""
        return empty_pb2.Empty()

    @answered
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The state is the resource; only time moves."""
        known = decode(request.properties)
        if not known.values:
            message = "keys and certificates exist in the state only and cannot be imported"
            raise Refusal(message)
        values = dict(known.values)
        if "validityEndTime" in values:
            values["readyForRenewal"] = ready_for_renewal(values)
        outputs = _outputs(resource_type(request.urn), values, known)
        return provider_pb2.ReadResponse(id=request.id, properties=outputs, inputs=request.inputs)

    @answered
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The stand-in has no functions."""
        message = f"{request.tok} is not in the tls provider stand-in: install the official plugin"
        raise Refusal(message)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if v is not None and not k.startswith("__")}


def _value(kind: ResourceType, inputs: Mapping[str, Any], name: str) -> Any:
    value = inputs.get(name)
    return kind.defaults.get(name) if value is None else value


def _outputs(kind: ResourceType, values: Mapping[str, Any], inputs: Properties) -> Any:
    return encode(values, kind.secret & values.keys() | inputs.secret_names)
