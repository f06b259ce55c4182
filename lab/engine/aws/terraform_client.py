"""The client side of the Terraform plugin protocol, version 5."""

# ruff: noqa: ANN401 a protocol message is a generated class without types

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import msgpack

from lab.engine.lifetime import start
from lab.engine.model import RefusedError
from lab.engine.plugin_host import OPTIONS
from lab.engine.properties import UNKNOWN

COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
"""Constant of the protocol: without it a provider explains itself to a person and ends."""

PROTOCOL = "5"

TERRAFORM_VERSION = "1.11.4"
"""What the provider is told about its caller; it goes into the user agent only."""

ERROR = 1
"""Diagnostic.Severity.ERROR."""


class ProviderError(RefusedError):
    """The Terraform provider refused or failed; one sentence per diagnostic."""


def messages(stubs: Path) -> tuple[Any, Any]:
    """The generated modules of the protocol: messages and services."""
    if str(stubs) not in sys.path:
        sys.path.append(str(stubs))
    return importlib.import_module("tfplugin5_pb2"), importlib.import_module("tfplugin5_pb2_grpc")


def pack(value: Any) -> bytes:
    """A value in the protocol's MessagePack form; an unknown value is extension type 0."""
    data: bytes = msgpack.packb(value, default=_pack_unknown)
    return data


def _pack_unknown(value: Any) -> msgpack.ExtType:
    if value is UNKNOWN:
        return msgpack.ExtType(0, b"\x00")
    message = f"{type(value).__name__} has no place in a Terraform value"
    raise TypeError(message)


def unpack(dynamic: Any) -> Any:
    """A value of a DynamicValue message; refined unknown values are plain unknown ones."""
    if dynamic.msgpack:
        return msgpack.unpackb(
            dynamic.msgpack, strict_map_key=False, ext_hook=lambda _code, _data: UNKNOWN
        )
    return json.loads(dynamic.json) if dynamic.json else None


def sentence(diagnostic: Any) -> str:
    """`summary: detail` on one line."""
    parts = [" ".join(text.split()) for text in (diagnostic.summary, diagnostic.detail)]
    return ": ".join(part.rstrip(":") for part in parts if part)


def errors(diagnostics: Iterable[Any]) -> list[str]:
    """One sentence for each diagnostic that is an error."""
    return [sentence(one) for one in diagnostics if one.severity == ERROR]


def check(diagnostics: Iterable[Any]) -> None:
    """Raise ProviderError if there is an error among the diagnostics."""
    found = errors(diagnostics)
    if found:
        raise ProviderError("\n".join(found))


class Client:
    """A running Terraform provider."""

    def __init__(self, binary: Path, stubs: Path) -> None:
        self.messages, self._services = messages(stubs)
        self._process = start(
            [str(binary)],
            {
                **os.environ,
                "TF_PLUGIN_MAGIC_COOKIE": COOKIE,
                "PLUGIN_PROTOCOL_VERSIONS": PROTOCOL,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._stub: Any = None

    def connect(self) -> None:
        """Wait for the handshake; raises ProviderError.

        Apart from the constructor because the process must be made before other threads are.
        """
        output = self._process.stdout
        line = output.readline().decode(errors="replace").strip() if output else ""
        fields = line.split("|")
        if len(fields) < 5 or fields[1] != PROTOCOL or fields[4] != "grpc":
            message = "the Terraform AWS provider does not speak plugin protocol 5 on this machine"
            raise ProviderError(message)
        address = f"unix:{fields[3]}" if fields[2] == "unix" else fields[3]
        channel = grpc.insecure_channel(address, options=OPTIONS)
        self._stub = self._services.ProviderStub(channel)

    def dynamic(self, value: Any) -> Any:
        """A DynamicValue message."""
        return self.messages.DynamicValue(msgpack=pack(value))

    def call(self, method: str, request: Any) -> Any:
        """Call the provider; raises ProviderError if it ended."""
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as problem:
            code = problem.code() if isinstance(problem, grpc.Call) else None
            details = problem.details() if isinstance(problem, grpc.Call) else str(problem)
            message = f"the Terraform AWS provider failed ({code}): {details}"
            raise ProviderError(message) from None

    def stop(self) -> None:
        """Ask the provider to end what is under way; raises ProviderError if it ended."""
        if self._stub is not None:
            self.call("Stop", self.messages.Stop.Request())

    def close(self) -> None:
        """End the provider's process."""
        with self._process:
            self._process.kill()
