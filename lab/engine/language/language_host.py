"""The plugin process `pulumi-language-python` of the stand-in."""

# ruff: noqa: N802, ARG002 names and signatures are those of the gRPC service

from collections.abc import Iterator, Sequence

from lab.engine.protocol import import_messages_only

import_messages_only()

import grpc  # noqa: E402 the messages must come first
from google.protobuf import empty_pb2  # noqa: E402
from pulumi.runtime.proto import (  # noqa: E402
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
)

from lab.engine.answers import answered  # noqa: E402
from lab.engine.language.program import Programs  # noqa: E402
from lab.engine.language.python_environment import interpreter, required_packages, versions  # noqa: E402
from lab.engine.plugin_host import serve  # noqa: E402


class Language(language_pb2_grpc.LanguageRuntimeServicer):
    """The language host as the engine sees it. What fails is the error of its call."""

    def __init__(self, engine_address: str, version: str) -> None:
        self._engine_address = engine_address
        self._version = version
        self.programs = Programs()

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Remember the engine."""
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """The version of the CLI that the host serves."""
        return plugin_pb2.PluginInfo(version=self._version)

    @answered
    def GetRequiredPackages(
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """The provider plugins that the installed SDK packages name."""
        return language_pb2.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(
                    name=package.name,
                    kind="resource",
                    version=package.version,
                    server=package.server,
                )
                for package in required_packages(interpreter(request.info))
            ]
        )

    @answered
    def GetRequiredPlugins(
        self, request: language_pb2.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        """The same for engines that ask for plugins."""
        return language_pb2.GetRequiredPluginsResponse(
            plugins=[
                plugin_pb2.PluginDependency(
                    name=package.name,
                    kind="resource",
                    version=package.version,
                    server=package.server,
                )
                for package in required_packages(interpreter(request.info))
            ]
        )

    @answered
    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """The packages installed for the program."""
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=version)
                for name, version in versions(interpreter(request.info))
            ]
        )

    @answered
    def About(
        self, request: language_pb2.AboutRequest, context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        """The interpreter that runs programs."""
        python = interpreter(request.info)
        found = self.programs.output([str(python), "--version"]).split()
        version = found[-1] if found else ""
        return language_pb2.AboutResponse(executable=str(python), version=version)

    def RuntimeOptionsPrompts(
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        """Nothing to ask."""
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """The project's own set-up installs the dependencies."""
        return iter(())

    @answered
    def Run(
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        """Run the program once."""
        return self.programs.run(interpreter(request.info), request, self._engine_address)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """End the program that is under way."""
        self.programs.end()
        return empty_pb2.Empty()


def main(arguments: Sequence[str]) -> None:
    """Serve the engine whose address is the last argument."""
    version, *rest = arguments
    addresses = [argument for argument in rest if not argument.startswith("-")]
    language = Language(addresses[-1] if addresses else "", version)

    def register(server: grpc.Server) -> None:
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(language, server)

    serve(register, language.programs.end)
