"""What a change of the etcd tier's size costs a client that writes steadily."""

import logging
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from lab.binaries.etcd_build import built_etcd
from lab.tests.figures.tables import table
from tests.node.conftest import REGION
from tests.node.doubles import Metadata, serve
from tests.node.etcd_tier import Tier
from tests.node.issued_certificates import Authority
from tests.node.resizing import Change, walk

SIZES = (1, 3, 5, 7, 5, 3, 1)
"""Every pair of neighbours, both ways."""

HEAD = ("from, to", "seconds", "longest write stall, seconds", "writes", "failed", "lost")


def resizing(repeat: int) -> str:
    """Medians of walks through all sizes, on real etcd members with mutual TLS on loopback."""
    found: dict[tuple[int, int], list[Change]] = {}
    for _ in range(repeat):
        with _tier() as tier:
            for change in walk(tier, SIZES):
                found.setdefault((change.before, change.after), []).append(change)
    rows = [
        (f"{before}, {after}", *_summary(changes)) for (before, after), changes in found.items()
    ]
    title = f"A change of size under a writing client (median time, worst stall of {repeat} walks)"
    return table(title, HEAD, rows)


def _summary(changes: list[Change]) -> tuple[str, ...]:
    return (
        f"{statistics.median(change.seconds for change in changes):.1f}",
        f"{max(change.longest_stall for change in changes):.2f}",
        str(sum(change.writes for change in changes)),
        str(sum(change.failed for change in changes)),
        str(sum(len(change.lost) for change in changes)),
    )


@contextmanager
def _tier() -> Iterator[Tier]:
    """A tier with Parameter Store on loopback and no machine yet."""
    binaries = built_etcd(lambda line: print(line, file=sys.stderr))
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for every request
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    with (
        tempfile.TemporaryDirectory(prefix="figures-") as directory,
        serve(Metadata) as metadata,
        pytest.MonkeyPatch.context() as patch,
    ):
        for variable, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{metadata}",
            "PATH": f"{binaries}:{os.environ['PATH']}:/usr/sbin",
            "HA_NODE_ROOT": directory,
        }.items():
            patch.setenv(variable, value)
        # The daemons' users are the machines', not this one's.
        patch.setattr("shutil.chown", lambda *_: None)
        ssm = boto3.client("ssm", region_name=REGION)
        tier = Tier(ssm, Path(directory), binaries, Authority("etcd-ca"))
        try:
            yield tier
        finally:
            tier.close()
            moto.stop()
