"""Cluster names: what AWS accepts of every name that begins with one."""

import re

MAX_CLUSTER_NAME = 20
"""Load balancer names cap at 32 characters: 20, `-api`, and Pulumi's 8 random ones."""

CLUSTER_NAME_PATTERN = r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"

RESERVED_PREFIXES = {
    "aws": "Parameter Store and KMS",
    "ssm": "Parameter Store",
    "internal-": "Elastic Load Balancing",
    "sg-": "EC2, for security groups",
    "xn--": "S3",
    "sthree-": "S3",
    "amzn-s3-demo-": "S3",
}
"""Beginnings that a service keeps to itself. Reserved ends, such as S3's -s3alias, are never met:
Pulumi ends every bucket's name with random characters."""


def check_cluster_name(name: str) -> str:
    """The name. ValueError when AWS would refuse a resource named after it."""
    if len(name) > MAX_CLUSTER_NAME:
        raise ValueError(
            f"must have at most {MAX_CLUSTER_NAME} characters: load balancer names cap at 32"
        )
    if not re.fullmatch(CLUSTER_NAME_PATTERN.strip("^$"), name):
        raise ValueError("must be a DNS label: lower-case letters, digits and inner hyphens")
    for prefix, service in RESERVED_PREFIXES.items():
        if name.startswith(prefix):
            raise ValueError(f"must not begin with {prefix}: {service} reserves such names")
    return name
