"""The plugin process `pulumi-resource-aws` of the stand-in."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from lab.engine.protocol import import_messages_only

import_messages_only()

from pulumi.runtime.proto import provider_pb2_grpc  # noqa: E402 the messages must come first

from lab.engine.aws.aws_provider import Provider  # noqa: E402
from lab.engine.aws.store import SchemaStore  # noqa: E402
from lab.engine.aws.terraform_client import Client  # noqa: E402
from lab.engine.plugin_host import serve  # noqa: E402


def main(arguments: Sequence[str]) -> None:
    """Start the Terraform provider, then serve the engine."""
    parser = argparse.ArgumentParser(prog="pulumi-resource-aws")
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--stubs", type=Path, required=True)
    parser.add_argument("--schemas", type=Path, required=True)
    parser.add_argument("--version", required=True)
    options, _ = parser.parse_known_args(arguments)  # the engine adds its own address
    client = Client(options.binary, options.stubs)
    client.connect()
    provider = Provider(client, SchemaStore(options.schemas), options.version)
    serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        client.close,
    )
