"""The parameter that workers read the join token from: a SecureString, written here alone."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from node.aws import ATTEMPTS, translating_aws_errors
from node.cluster.bootstrap_token import JoinToken


class TokenParameter:
    """One parameter; everything raises AwsError when AWS does not answer or refuses."""

    def __init__(self, region: str, name: str) -> None:
        config = Config(
            connect_timeout=2,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        self._name = name
        with translating_aws_errors():
            self._ssm = boto3.client("ssm", region_name=region, config=config)

    def read(self) -> str | None:
        """Its text, decrypted; None where there is none yet."""
        with translating_aws_errors():
            try:
                answer = self._ssm.get_parameter(Name=self._name, WithDecryption=True)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ParameterNotFound":
                    return None
                raise
            return answer["Parameter"]["Value"]

    def write(self, token: JoinToken, key: str) -> None:
        """Put a token in it, encrypted with a KMS key."""
        with translating_aws_errors():
            self._ssm.put_parameter(
                Name=self._name,
                Value=json.dumps(token.document),
                Type="SecureString",
                KeyId=key,
                Overwrite=True,
            )
