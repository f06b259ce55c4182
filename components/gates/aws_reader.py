"""AWS as the gates read it: boto3, in the provider's account and region.

Region and profile are the provider's (`aws:region`, `aws:profile`), the rest is boto3's own chain:
AWS_* variables, the profile, the instance's role. A stack that hands its provider credentials in
another way (`aws:assumeRoles`, `aws:accessKey`, `aws:endpoints`) must hand them to the gates in
AWS_* variables; an account that differs from the provider's is an error, not a wrong answer.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
)

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_EXPIRED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "NotAuthorized",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)
"""Codes with which AWS's services turn away credentials that it once gave: they ended, or were
withdrawn, or the clock of this machine is wrong. No other try helps."""
AWAY = frozenset({"stopping", "stopped", "shutting-down", "terminated"})
"""States of an instance on which nothing runs any more, or soon will not."""


class AwsUnavailableError(Exception):
    """AWS did not answer, or asked to slow down: worth another try."""


class AwsAccessDeniedError(Exception):
    """AWS refuses these credentials the request. Names the permission."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of Parameter Store."""

    value: str
    version: int
    """Counts up with every write."""


class AwsReader:
    """AWS as gates read it. Every method blocks, and raises AwsUnavailableError and
    AwsAccessDeniedError."""

    def __init__(self, *, region: str, profile: str | None, account_id: str) -> None:
        self._region, self._profile, self._account_id = region, profile, account_id
        self._session: boto3.Session | None = None
        self._lock = threading.Lock()
        # A wait is the gate's to show, so a request that hangs must not hide it for long.
        self._config = Config(
            connect_timeout=5,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 3},
        )

    def parameters(self, names: Iterable[str]) -> dict[str, Parameter]:
        """Those of up to ten parameters that exist, all as of one moment."""
        with _translating_aws_errors("ssm:GetParameters"):
            answer = self._connected().client("ssm", config=self._config)
            found = answer.get_parameters(Names=sorted(names))["Parameters"]
        return {p["Name"]: Parameter(p["Value"], p["Version"]) for p in found}

    def runs(self, instance_id: str) -> bool:
        """Whether an instance runs, or is about to."""
        with _translating_aws_errors("ec2:DescribeInstances"):
            client = self._connected().client("ec2", config=self._config)
            try:
                answer = client.describe_instances(InstanceIds=[instance_id])
            except ClientError as error:
                if error.response["Error"]["Code"] == "InvalidInstanceID.NotFound":
                    return False
                raise
        states = [
            instance["State"]["Name"]
            for reservation in answer["Reservations"]
            for instance in reservation["Instances"]
        ]
        return any(state not in AWAY for state in states)

    def attached_volumes(self, *, name: str, cluster: str) -> list[str]:
        """Ids of the cluster's volumes of this name that are attached to an instance."""
        filters = {"tag:Name": name, f"tag:kubernetes.io/cluster/{cluster}": "owned"}
        with _translating_aws_errors("ec2:DescribeVolumes"):
            client = self._connected().client("ec2", config=self._config)
            answer = client.describe_volumes(
                Filters=[{"Name": key, "Values": [value]} for key, value in filters.items()]
            )
        return [volume["VolumeId"] for volume in answer["Volumes"] if volume["State"] == "in-use"]

    def targets(self, group_arn: str) -> dict[str, str]:
        """State by address of every target of a target group, those that drain included."""
        with _translating_aws_errors("elasticloadbalancing:DescribeTargetHealth"):
            client = self._connected().client("elbv2", config=self._config)
            answer = client.describe_target_health(TargetGroupArn=group_arn)
        return {
            health["Target"]["Id"]: health["TargetHealth"]["State"]
            for health in answer["TargetHealthDescriptions"]
        }

    def time(self) -> datetime:
        """The time of AWS, to the second, which it also tells to credentials that it refuses."""
        with _translating_aws_errors("sts:GetCallerIdentity"):
            try:
                answer = self._session_of_region().client("sts", config=self._config)
                metadata = answer.get_caller_identity()["ResponseMetadata"]
            except ClientError as error:
                metadata = error.response["ResponseMetadata"]
        date = metadata["HTTPHeaders"].get("date")
        if date is None:
            raise AwsUnavailableError("AWS does not tell its time (sts:GetCallerIdentity)")
        return parsedate_to_datetime(date)

    def _session_of_region(self) -> boto3.Session:
        return boto3.Session(profile_name=self._profile, region_name=self._region)

    def _connected(self) -> boto3.Session:
        """The session, once it is known to be of the provider's account."""
        with self._lock:
            if self._session is None:
                session = self._session_of_region()
                identity = session.client("sts", config=self._config).get_caller_identity()
                if identity["Account"] != self._account_id:
                    raise AwsAccessDeniedError(
                        f"the gates' credentials are of account {identity['Account']} and the "
                        f"provider's of {self._account_id}: set AWS_PROFILE or the AWS_* variables "
                        "to the provider's"
                    )
                self._session = session
            return self._session


@contextmanager
def _translating_aws_errors(permission: str) -> Iterator[None]:
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        raise AwsAccessDeniedError(
            f"gates ask AWS with boto3, and {error}: set AWS_PROFILE or the AWS_* variables"
        ) from error
    except (
        CredentialRetrievalError,
        LoginError,
        RefreshWithMFAUnsupportedError,
        SSOError,
        TokenRetrievalError,
    ) as error:
        raise AwsAccessDeniedError(
            f"gates ask AWS with boto3, and {error}: log in again"
        ) from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _EXPIRED:
            raise AwsAccessDeniedError(
                f"AWS does not accept these credentials any more ({code}): log in again, or set "
                "AWS_PROFILE or the AWS_* variables to valid ones, and check this machine's clock"
            ) from error
        if code in _DENIED:
            raise AwsAccessDeniedError(
                f"AWS refuses {permission} ({code}): allow it to who runs pulumi up"
            ) from error
        raise AwsUnavailableError(f"AWS does not answer {permission} ({code})") from error
    except BotoCoreError as error:
        raise AwsUnavailableError(
            f"AWS does not answer {permission} ({type(error).__name__})"
        ) from error
