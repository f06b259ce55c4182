"""Lookup of what the account knows, asked with the lab's own keys."""

from collections.abc import Iterable, Mapping

from botocore.exceptions import ClientError

from lab.machines.account import Clients

DEFAULT_KEY = "alias/aws/ssm"


class AccountLookup:
    """A Lookup (see `needs`) that asks the emulated AWS."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def secure_parameters(self, path: str) -> Iterable[tuple[str, str]]:
        """Name and key ARN of the encrypted parameters of that name or right below that path."""
        ssm = self._clients("ssm")
        filters = [
            [{"Key": "Name", "Option": "Equals", "Values": [path]}],
            [{"Key": "Path", "Option": "OneLevel", "Values": [path]}],
        ]
        for one in filters:
            pages = ssm.get_paginator("describe_parameters").paginate(ParameterFilters=one)
            for page in pages:
                for parameter in page["Parameters"]:
                    if parameter["Type"] == "SecureString":
                        yield parameter["Name"], self.key(parameter.get("KeyId") or DEFAULT_KEY)

    def bucket_key(self, bucket: str) -> str | None:
        """ARN of the key that a bucket encrypts with by default."""
        try:
            answer = self._clients("s3").get_bucket_encryption(Bucket=bucket)
        except ClientError:
            return None
        for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
            default = rule.get("ApplyServerSideEncryptionByDefault", {})
            if default.get("SSEAlgorithm") == "aws:kms":
                return self.key(default.get("KMSMasterKeyID") or "alias/aws/s3")
        return None

    def key(self, key_id: str) -> str:
        """ARN of a key given by id, alias or ARN."""
        if ":key/" in key_id:
            return key_id
        try:
            return str(self._clients("kms").describe_key(KeyId=key_id)["KeyMetadata"]["Arn"])
        except ClientError:
            return key_id

    def scaling_group(self, name: str) -> tuple[str, Mapping[str, str]]:
        """ARN and tags of an Auto Scaling group; the name itself when there is none."""
        answer = self._clients("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[name]
        )
        for group in answer["AutoScalingGroups"]:
            tags = {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])}
            return str(group["AutoScalingGroupARN"]), tags
        return name, {}
