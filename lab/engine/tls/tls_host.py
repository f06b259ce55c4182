"""The plugin process `pulumi-resource-tls` of the stand-in."""

from collections.abc import Sequence

from lab.engine.protocol import import_messages_only

import_messages_only()

from pulumi.runtime.proto import provider_pb2_grpc  # noqa: E402 the messages must come first

from lab.engine.plugin_host import serve  # noqa: E402
from lab.engine.tls.tls_provider import Provider  # noqa: E402


def main(arguments: Sequence[str]) -> None:
    """Serve the engine; the first argument is the version."""
    provider = Provider(arguments[0])
    serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        lambda: None,
    )
