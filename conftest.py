"""Fixtures that the tests of the program and those of the lab share."""

import asyncio
import functools
import gc
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.loaders
import pytest
from hypothesis import HealthCheck, settings

from tests.recording import REPOSITORY, Deploy, Deployment, run, run_program

# How fast a machine is proves nothing, and a busy one must fail no test.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

# Most of what a test leaves needs no collector, and walking what pulumi-aws, moto and botocore hold
# at every 700 objects, Python's default, is a fifth of a deployment's time and more.
gc.set_threshold(300_000, 20, 20)

# Every session of boto3 reads the models of its services anew, EC2's in a fifth of a second.
botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)

# Pulumi's outputs want a loop, and from Python 3.12 on a thread has none that nobody made.
asyncio.set_event_loop(asyncio.new_event_loop())

# No test downloads Pulumi's CLI or plugins, nor depends on what a `make up` has downloaded.
os.environ["HA_LAB_OFFLINE"] = "1"

DAEMONS = {"apiload_binaries", "etcd_binaries", "kubernetes_binaries", "etcd_tier"}
"""Fixtures that give real daemons and their clients, which are built first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes a build, a daemon or an engine: by what a test asks for, so that none is
    forgotten."""
    for item in items:
        if REPOSITORY / "lab/tests/engine" in item.path.parents:
            item.add_marker("engine")
        if DAEMONS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("daemons")


@pytest.fixture(scope="session")
def apiload_binaries() -> Path:
    """The directory of the load of the API."""
    return _built("apiload")


@pytest.fixture(scope="session")
def etcd_binaries() -> Path:
    """The directory of real etcd, etcdctl and etcdutl."""
    return _built("etcd")


@pytest.fixture(scope="session")
def kubernetes_binaries() -> Path:
    """The directory of real kube-apiserver, kube-controller-manager, kube-scheduler and kubectl."""
    return _built("kubernetes")


def _built(binaries: str) -> Path:
    command = [sys.executable, "-m", "lab", "build", "--only", binaries]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def deploy() -> Deploy:
    """Run a callable that registers resources."""
    return run


@pytest.fixture(scope="session")
def deploy_stack() -> Deploy:
    """Run the whole program, `__main__.py`, with a configuration."""

    known: dict[str, Deployment] = {}

    def deploy_main(config: Mapping[str, Any] | None = None, **options: Any) -> Deployment:
        # A deployment is read, never written, so equal configurations share one.
        key = json.dumps(config or {}, sort_keys=True)
        if not options and key in known:
            return known[key]
        deployment = run_program(config, **options)
        if not options:
            known[key] = deployment
        return deployment

    return deploy_main


@pytest.fixture(scope="session")
def cluster(deploy_stack: Deploy) -> Deployment:
    """The program with every default, in a stack called `test`."""
    return deploy_stack()
