"""Set-up of the AWS stand-in before a run: provider, protocol modules, schemas."""

from dataclasses import dataclass
from pathlib import Path

from lab.engine.aws import schema, store, terraform_client, tokens
from lab.engine.aws.mirror import TerraformProvider, find_provider
from lab.engine.aws.stubs import protocol_stubs
from lab.engine.cache import cache_directory, digest, published
from lab.engine.model import EngineError, RefusedError, Report


@dataclass(frozen=True)
class Bridge:
    """The parts that the plugin process is started with."""

    provider: TerraformProvider
    stubs: Path
    schemas: Path


def prepare(pulumi_version: str, report: Report) -> Bridge:
    """Find and make all parts; raises EngineError."""
    provider = find_provider(pulumi_version)
    stubs = protocol_stubs(report)
    status = provider.binary.stat()
    code = [Path(str(module.__file__)).read_bytes() for module in (schema, store, tokens)]
    key = digest(
        str(provider.binary.resolve()),
        f"{status.st_size} {status.st_mtime_ns} {provider.version}",
        *code,
    )

    def write(work: Path) -> None:
        report(f"reading the schemas of the Terraform AWS provider {provider.version}")
        try:
            terraform = terraform_client.Client(provider.binary, stubs)
            try:
                terraform.connect()
                store.write_schemas(terraform, work)
            finally:
                terraform.close()
        except (OSError, RefusedError) as problem:
            message = f"the Terraform AWS provider {provider.binary} does not work: {problem}"
            raise EngineError(message) from problem

    return Bridge(provider, stubs, published(cache_directory() / f"schemas-{key[:16]}", write))
