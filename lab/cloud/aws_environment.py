"""Environment of AWS SDKs that points them at the emulated AWS, and away from a person's real
account."""

from collections.abc import Mapping

import boto3

REGION = "eu-central-1"
ACCESS_KEY = "emulated"
"""Any key is accepted; this one belongs to nobody, so a request that went astray would be refused
by AWS."""

OWN_KEY = "lab"
"""Of the lab itself, so that what `pulumi` asked for can be told from what the lab did."""

LOCAL = "127.0.0.1,localhost"
"""Added to NO_PROXY: a proxy must neither see nor refuse requests to this machine."""

UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CA_BUNDLE",
)
"""Variables that could lead to a person's real account; they are taken out of the environment."""


def variables(endpoint: str) -> dict[str, str]:
    """The variables that point every AWS SDK at the emulator."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        # S3 Control, which newer providers ask for a bucket's tags, puts the account before the
        # host: 123456789012.127.0.0.1, a name that nobody resolves. Go's clients leave that to a
        # proxy, and go to this machine without one. In capitals: most tools in a person's shell
        # read small letters.
        "HTTP_PROXY": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        # What moto lacks it answers with 500, which the provider would retry 25 times over many
        # minutes.
        "AWS_MAX_ATTEMPTS": "3",
    }


def environment(base: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """`base` without what leads to a real account, with what leads to the emulator."""
    kept = {
        name: value
        for name, value in base.items()
        if name not in UNSET and not name.startswith("AWS_ENDPOINT_URL_")
    }
    exceptions = [kept.get("no_proxy") or kept.get("NO_PROXY"), LOCAL]
    no_proxy = ",".join(part for part in exceptions if part)
    return kept | variables(endpoint) | {"NO_PROXY": no_proxy, "no_proxy": no_proxy}


def session() -> boto3.Session:
    """A boto3 session that knows no profile of the person's."""
    return boto3.Session(
        aws_access_key_id=OWN_KEY, aws_secret_access_key=OWN_KEY, region_name=REGION
    )
