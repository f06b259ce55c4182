"""A parameter has a length, and a key that is there."""

import pytest
from botocore.exceptions import ClientError


def _put(aws, name, value="x", **more):
    aws("ssm").put_parameter(Name=f"/parameters/{name}", Value=value, **more)


@pytest.mark.parametrize(("tier", "longest"), [("Standard", 4096), ("Advanced", 8192)])
def test_a_value_is_as_long_as_its_tier_allows(aws, tier, longest):
    with pytest.raises(ClientError, match="maximum parameter value"):
        _put(aws, tier, "x" * (longest + 1), Type="String", Tier=tier)
    _put(aws, tier, "x" * longest, Type="String", Tier=tier)


def test_a_secret_needs_a_key_that_is_there(aws):
    kms = aws("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/parameters", TargetKeyId=key)
    _put(aws, "by-id", Type="SecureString", KeyId=key)
    _put(aws, "by-alias", Type="SecureString", KeyId="alias/parameters")
    with pytest.raises(ClientError, match="InvalidKeyId"):
        _put(aws, "unknown", Type="SecureString", KeyId="alias/unknown")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with pytest.raises(ClientError, match="pending deletion"):
        _put(aws, "late", Type="SecureString", KeyId=key)
