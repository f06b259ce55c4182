"""The search for what was being created: every creation gets its answer."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from recovery import deployment
from recovery.deployment import Creation, Document, Region
from recovery.lookups import LOOKUPS, Clients, repeatable
from recovery.recovery_error import RecoveryError

PAUSE = 5.0
"""Seconds between two looks."""

Connect = Callable[[Region], Clients]
"""Makes clients for where a provider works."""


@dataclass(frozen=True)
class Found:
    """What became of a creation."""

    creation: Creation
    ids: Sequence[str]
    """Of what exists and nobody recorded."""
    repeatable: bool = False
    """Whether creating it again does no harm, so that nobody looked."""


@dataclass
class Accounts:
    """Connects to AWS with boto3's own chain of credentials, and checks that it is the account that
    the stack is in: in another one nothing would be found, and everything forgotten."""

    export: Document
    seen: set[str] = field(default_factory=set)
    """`account 123456789012, eu-central-1` of every connection."""

    def connect(self, region: Region) -> Clients:
        """Clients for a region. Raises RecoveryError."""
        known = deployment.accounts(self.export)
        try:
            session = boto3.Session(profile_name=region.profile, region_name=region.name)
            account = session.client("sts").get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            raise RecoveryError(
                f"AWS does not say who you are ({error}): set AWS_PROFILE or the AWS_* variables."
            ) from error
        if known and account not in known:
            raise RecoveryError(
                f"These credentials are of account {account} and the stack is in "
                f"{', '.join(sorted(known))}: set AWS_PROFILE or the AWS_* variables to its own."
            )
        self.seen.add(f"account {account}, {session.region_name}")
        made: dict[str, object] = {}

        def client(service: str) -> object:
            if service not in made:
                made[service] = session.client(service)  # type: ignore[call-overload] # by name
            return made[service]

        return client


def search(
    export: Document, connect: Connect, told: Mapping[str, Sequence[str]], patience: float
) -> list[Found]:
    """What became of every creation; `told` are the ids by URN that the operator knows.

    What is not there yet is looked for again for `patience` seconds: a provider may outlive its
    engine for a moment, and AWS lists what it made after a while. Raises RecoveryError, with every
    resource that nobody can look for.
    """
    wanted = deployment.creations(export)
    problems = [
        f"  {one.urn}: {one.type} is not a type that is looked for"
        for one in wanted
        if one.urn not in told and one.type not in LOOKUPS and not repeatable(one.type)
    ]
    deadline = time.monotonic() + patience
    clients: dict[Region, Clients] = {}
    results: dict[str, Found] = {}
    while not problems:
        for one in wanted:
            if one.urn in told or repeatable(one.type):
                results[one.urn] = Found(one, told.get(one.urn, ()), one.urn not in told)
            elif one.urn not in results or not results[one.urn].ids:
                where = deployment.region(export, one)
                if where not in clients:
                    clients[where] = connect(where)
                try:
                    results[one.urn] = Found(one, _ids(export, one, clients[where]))
                except (RecoveryError, BotoCoreError, ClientError) as error:
                    problems.append(f"  {one.urn}: {error}")
        missing = [one for one in results.values() if not one.ids and not one.repeatable]
        missing = [one for one in missing if one.creation.urn not in told]
        if not missing or time.monotonic() >= deadline:
            break
        time.sleep(PAUSE)
    if problems:
        raise RecoveryError(
            "These were being created, and nobody can tell whether they exist:\n"
            + "\n".join(problems)
            + "\nLook in AWS, then say so: `--found URN=ID`, or `--absent URN`."
        )
    return [results[one.urn] for one in wanted]


def _ids(export: Document, creation: Creation, clients: Clients) -> list[str]:
    recorded = deployment.ids(export, creation.type)
    return [one for one in LOOKUPS[creation.type](clients, creation.inputs) if one not in recorded]
