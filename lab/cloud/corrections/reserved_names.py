"""Names that AWS keeps for itself, or does not have.

Stock moto takes any: `internal-...` for a load balancer, `sg-...` for a security group, and bucket
names that no DNS name may be. A cluster's name is part of all three, so a stack file that AWS
refuses in the middle of the first update would pass.
"""

import ipaddress
import re

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import SecurityGroup
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer
from moto.s3.exceptions import InvalidBucketName
from moto.s3.models import FakeBucket, S3Backend

from lab.cloud.corrections.patching import Method, extends

LOAD_BALANCER = re.compile(r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)")
"""Name of a load balancer (ELB API reference, CreateLoadBalancer)."""

BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){2,62}(?<=[a-z0-9])")
BUCKET_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
BUCKET_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
"""What a bucket's name may not begin and end with (S3 guide, "Bucket naming rules")."""


@extends(ELBv2Backend, "create_load_balancer")
def create_load_balancer(
    original: Method, backend: ELBv2Backend, name: str, *args: object, **kwargs: object
) -> FakeLoadBalancer:
    """CreateLoadBalancer. Raises ValidationError."""
    if not LOAD_BALANCER.fullmatch(name) or name.startswith("internal-"):
        raise ELBClientError(
            "ValidationError",
            f"The load balancer name '{name}' must have at most 32 letters, digits and hyphens, "
            "and cannot begin or end with a hyphen or begin with 'internal-'",
        )
    load_balancer: FakeLoadBalancer = original(backend, name, *args, **kwargs)
    return load_balancer


@extends(EC2Backend, "create_security_group")
def create_security_group(
    original: Method, backend: EC2Backend, name: str, *args: object, **kwargs: object
) -> SecurityGroup:
    """CreateSecurityGroup. Raises InvalidParameterValue."""
    if name.lower().startswith("sg-"):
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Invalid value '{name}' for groupName. Group names may not begin with sg-",
        )
    group: SecurityGroup = original(backend, name, *args, **kwargs)
    return group


@extends(S3Backend, "create_bucket")
def create_bucket(
    original: Method, backend: S3Backend, bucket_name: str, *args: object, **kwargs: object
) -> FakeBucket:
    """CreateBucket. Raises InvalidBucketName."""
    if (
        not BUCKET.fullmatch(bucket_name)
        or bucket_name.startswith(BUCKET_PREFIXES)
        or bucket_name.endswith(BUCKET_SUFFIXES)
        or _is_address(bucket_name)
    ):
        raise InvalidBucketName
    bucket: FakeBucket = original(backend, bucket_name, *args, **kwargs)
    return bucket


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
