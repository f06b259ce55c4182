"""Base of every resource provider stand-in: what it tells the engine about itself."""

# ruff: noqa: N802, ARG002 names and signatures are those of the gRPC service

import json

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """The part of the provider protocol that does not depend on the provider."""

    def __init__(self, package: str, version: str) -> None:
        self._package = package
        self._version = version

    def GetPluginInfo(
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """The version that the SDK asked for."""
        return plugin_pb2.PluginInfo(version=self._version)

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Secrets are understood; resource and output references are not needed."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """A package without content: the program uses the generated SDK."""
        schema = json.dumps({"name": self._package, "version": self._version})
        return provider_pb2.GetSchemaResponse(schema=schema)
