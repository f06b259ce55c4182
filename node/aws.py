"""Parameter Store, and what every use of AWS needs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from node import owned
from node.errors import AwsError, NodeError

ATTEMPTS = 5
"""Of every request, with botocore's backoff and jitter: nodes boot together and are throttled.

Without AWS a reboot waits for all of them, about 20 s.
"""


PER_REQUEST = 10
"""Parameters that GetParameters returns at most (API reference)."""


@dataclass(frozen=True)
class Stored:
    """The document in a parameter, and how long ago it was written."""

    document: Any
    """JSON; None when the value is not JSON."""
    age: float
    """Seconds, by AWS's own clock at both ends: no clock of a node takes part."""
    version: int = 0
    """The parameter's version now: the next write gets the number after it."""
    echo: bool = False
    """Whether that version says nothing, and this document is of an older one (node.owned)."""


RETRIES = 3
"""Writes until one that nobody else may make is taken for hopeless."""


class ParameterStore:
    """Parameter Store in one region; everything it does raises AwsError when AWS does not."""

    def __init__(self, region: str) -> None:
        self._ssm = client("ssm", region, attempts=ATTEMPTS)

    def files(self, path: str) -> dict[str, str]:
        """Everything below a path, decrypted, by the last part of its name."""
        with translating_aws_errors():
            pages = self._ssm.get_paginator("get_parameters_by_path").paginate(
                Path=path, WithDecryption=True
            )
            return {
                parameter["Name"].rpartition("/")[2]: parameter["Value"]
                for page in pages
                for parameter in page["Parameters"]
            }

    def versions(self, path: str) -> dict[str, str]:
        """When everything below a path was last written, by the last part of its name.

        A parameter that was deleted and made again begins with version 1 again, hence the time.
        """
        with translating_aws_errors():
            pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
            return {
                parameter["Name"].rpartition("/")[2]: (
                    f"{parameter['Version']} {parameter['LastModifiedDate'].timestamp()}"
                )
                for page in pages
                for parameter in page["Parameters"]
            }

    def get(self, name: str) -> Any:  # noqa: ANN401  JSON
        """The JSON document in a parameter; NodeError when it holds none."""
        with translating_aws_errors():
            text = self._ssm.get_parameter(Name=name)["Parameter"]["Value"]
        try:
            return json.loads(text)
        except ValueError as error:
            raise NodeError(f"parameter {name} is not JSON: run pulumi up") from error

    def secret(self, name: str) -> str:
        """The text in a parameter, decrypted where it is a SecureString."""
        with translating_aws_errors():
            answer = self._ssm.get_parameter(Name=name, WithDecryption=True)
        text: str = answer["Parameter"]["Value"]
        return text

    def latest(self, names: Sequence[str]) -> dict[str, Stored]:
        """The documents in those of the parameters that exist, by name."""
        found = {}
        for start in range(0, len(names), PER_REQUEST):
            with translating_aws_errors():
                answer = self._ssm.get_parameters(Names=names[start : start + PER_REQUEST])
            date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
            now = parsedate_to_datetime(date) if date else datetime.now(UTC)
            for parameter in answer["Parameters"]:
                found[parameter["Name"]] = _stored(parameter, now)
        return found

    def owned(self, names: Sequence[str]) -> dict[str, Stored]:
        """The documents that count in those of the parameters that exist, by name.

        Where an echo stands in a document's place, the history is asked for what was said last:
        the document is None when it holds nothing that counts either.
        """
        found = self.latest(names)
        for name, stored in found.items():
            if not owned.Version(stored.version, stored.document).stands:
                found[name] = self._said_last(name, stored)
        return found

    def _said_last(self, name: str, stored: Stored) -> Stored:
        now = datetime.now(UTC)
        with translating_aws_errors():
            pages = self._ssm.get_paginator("get_parameter_history").paginate(Name=name)
            history: dict[int, Stored] = {}
            for page in pages:
                date = page["ResponseMetadata"]["HTTPHeaders"].get("date")
                now = parsedate_to_datetime(date) if date else now
                history |= {v["Version"]: _stored(v, now) for v in page["Parameters"]}
        last = max(history, default=stored.version)
        counts = owned.newest(owned.Version(n, s.document) for n, s in history.items())
        if counts is None:
            return Stored(None, stored.age, last, echo=True)
        said = history[counts.number]
        return Stored(said.document, said.age, last, echo=counts.number != last)

    def put(self, name: str, document: Mapping[str, Any], after: int) -> int:
        """Write what goes on from version `after`; the version that it became.

        Any other than the next one means that somebody else wrote first, and that what was written
        says nothing.
        """
        numbered = owned.numbered(document, after + 1)
        with translating_aws_errors():
            answer = self._ssm.put_parameter(
                Name=name, Value=json.dumps(numbered), Type="String", Overwrite=True
            )
        became: int = answer["Version"]
        return became

    def insist(self, name: str, document: Mapping[str, Any]) -> None:
        """Write what nobody else has a say in, until it counts; AwsError when it never does."""
        there = self.latest([name]).get(name)
        version = there.version if there else 0
        for _ in range(RETRIES):
            became = self.put(name, document, version)
            if became == version + 1:
                return
            version = became
        raise AwsError(f"parameter {name} is written by somebody else all the time")


def _stored(parameter: Mapping[str, Any], now: datetime) -> Stored:
    age = (now - parameter["LastModifiedDate"]).total_seconds()
    return Stored(_document(parameter["Value"]), age, parameter.get("Version", 0))


def _document(text: str) -> Any:  # noqa: ANN401  JSON
    try:
        return json.loads(text)
    except ValueError:
        return None


def client(service: str, region: str, *, attempts: int, **keys: str) -> Any:  # noqa: ANN401 - made by name
    """boto3's client of a service, which makes so many attempts of each request; with the
    credentials that boto3 finds, unless `keys` are given.

    Raises AwsError when there is none, as for a region that boto3 does not know.
    """
    config = Config(
        connect_timeout=2,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    # The stubs of boto3 know services by literal names only.
    make: Any = boto3.client
    with translating_aws_errors():
        return make(service, region_name=region, config=config, **keys)


def preload(region: str) -> None:
    """Read boto3's descriptions of what every run asks, for the processes that are forked from
    this one. No credentials are looked for: a run finds its own.
    """
    nobodys = {"aws_access_key_id": "-", "aws_secret_access_key": "-"}
    # An unknown region is for each run to complain of.
    with suppress(AwsError):
        client("ssm", region, attempts=ATTEMPTS, **nobodys)
        client("cloudwatch", region, attempts=ATTEMPTS, **nobodys)


@contextmanager
def translating_aws_errors() -> Iterator[None]:
    """Whatever AWS or boto3 complains of, as AwsError."""
    try:
        yield
    except (BotoCoreError, Boto3Error, ClientError) as error:
        raise AwsError(f"AWS: {error}") from error


def require_credentials() -> None:
    """Raise AwsError where boto3 finds no credentials now.

    A client keeps what it found when it was made: one that was made a moment before the metadata
    service had the role's keys stays without for ever. A process that runs on asks this first, and
    ends, and systemd starts it again.
    """
    with translating_aws_errors():
        found = boto3.Session().get_credentials()
    if found is None:
        raise AwsError("AWS: the metadata service gives no credentials: starting again")
