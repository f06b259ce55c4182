"""Prices of what stacks are made of, in US dollars without tax: AWS, on demand, us-east-1.

Data only, and read by nothing but `make reference`, which writes docs/cost.md with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

REGION = "us-east-1"


@dataclass(frozen=True)
class Price:
    """What one unit costs."""

    usd: Decimal
    per: str
    """The unit."""
    source: str
    """Where the price was read, and when."""


_MACHINES = "price table of karpenter-provider-aws, generated 2026-07-20"
_AWS = "AWS's price page of the service, 2026"
_S3 = "AWS price list, November 2026"

PRICES: Mapping[str, Price] = {
    "t3.medium": Price(Decimal("0.0416"), "hour", _MACHINES),
    "m7g.large": Price(Decimal("0.0816"), "hour", _MACHINES),
    "gp3 volume": Price(Decimal("0.08"), "GiB and month", _AWS),
    "network load balancer": Price(Decimal("0.0225"), "hour", _AWS),
    "load balancer capacity unit": Price(Decimal("0.006"), "hour", _AWS),
    "NAT gateway": Price(Decimal("0.045"), "hour", _AWS),
    "public IPv4 address": Price(Decimal("0.005"), "hour", _AWS),
    "interface endpoint": Price(Decimal("0.01"), "hour and zone", _AWS),
    "KMS key": Price(Decimal("1.00"), "month", _AWS),
    "standard parameter": Price(Decimal("0.00"), "month", _AWS),
    "alarm": Price(Decimal("0.10"), "month", _AWS),
    "metric": Price(Decimal("0.30"), "month", _AWS),
    "CloudWatch requests": Price(Decimal("0.01"), "1,000", _AWS),
    "S3 Standard": Price(Decimal("0.023"), "GiB and month", _S3),
    "EKS control plane": Price(Decimal("0.10"), "hour", _AWS),
}
"""By the name of what is paid for; machines by their instance type."""

FREE_ALARMS = 10
"""Alarms of an account that cost nothing, each month (CloudWatch pricing, "Free tier")."""
FREE_METRICS = 10
"""Custom metrics of an account that cost nothing, each month (the same)."""
FREE_REQUESTS = 1_000_000
"""CloudWatch requests of an account that cost nothing, each month (the same)."""
