"""Metrics of nodes, and of workers. All have the one dimension Cluster; statistics do the rest.

A metric for each node would cost 0.30 US dollars a month each, and an alarm of its own; the alarms
ask for the worst or the best of all nodes (`components/monitoring/alarms.py`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import boto3
from botocore.config import Config

from node.aws import translating_aws_errors
from node.contract import Metric, metric_namespace
from node.errors import AwsError, NodeError
from node.openssl import validity
from node.settings import Settings

ATTEMPTS = 2
"""Of the request. What is lost here, the next report or look tells anew."""


def publish(settings: Settings, values: Mapping[str, float]) -> str:
    """Send values by name of metric; empty, or why it could not be done. Never raises."""
    config = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    dimensions = [{"Name": "Cluster", "Value": settings.cluster}]
    try:
        with translating_aws_errors():
            boto3.client("cloudwatch", region_name=settings.region, config=config).put_metric_data(
                Namespace=metric_namespace(settings.cluster),
                MetricData=[
                    {"MetricName": name, "Dimensions": dimensions, "Value": value}
                    for name, value in values.items()
                ],
            )
    except AwsError as error:
        return f"no metrics: {error}"
    return ""


def certificate_days(settings: Settings) -> dict[str, float]:
    """Days until the first certificate of this node expires.

    A CA may end before what it signed. Nothing without certificates: `prepare` says what is wrong
    with them.
    """
    try:
        ends = [
            validity((settings.pki / name).read_text())[1]
            for name in settings.files
            if name.endswith(".crt")
        ]
    except (OSError, NodeError):
        return {}
    return {Metric.CERTIFICATE_DAYS_LEFT: (min(ends) - datetime.now(UTC)).total_seconds() / 86400}
