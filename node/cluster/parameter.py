"""The parameter that workers read the join token from: a SecureString, written here alone."""

import json

from botocore.exceptions import ClientError

from node.aws import ATTEMPTS, client, translating_aws_errors
from node.cluster.bootstrap_token import JoinToken


class TokenParameter:
    """One parameter; everything raises AwsError when AWS does not answer or refuses."""

    def __init__(self, region: str, name: str) -> None:
        self._name = name
        self._ssm = client("ssm", region, attempts=ATTEMPTS)

    def read(self) -> str | None:
        """Its text, decrypted; None where there is none yet."""
        with translating_aws_errors():
            try:
                answer = self._ssm.get_parameter(Name=self._name, WithDecryption=True)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ParameterNotFound":
                    return None
                raise
            text: str = answer["Parameter"]["Value"]
        return text

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
