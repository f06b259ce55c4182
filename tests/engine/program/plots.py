"""What the stories tell: the life of two clusters."""

import os
import signal
from collections.abc import Iterator
from typing import Any

from lab.processes import ProcessIdentity
from lab.workspace import STACK
from tests.engine.program.story import Chapter, chapter
from tests.engine.program.workbench import Workbench
from tests.engine.program.world import watched

SMALLER_API = {
    "aws:region": "eu-central-1",
    "ha-kubernetes:etcd": {"size": 3},
    "ha-kubernetes:api": {"size": 2},
    "ha-kubernetes:network": {"nat": "single"},
    "ha-kubernetes:protect": False,
}

MIRROR = "https://mirror.example/k8s"
"""Where binaries come from is in the user data of every node."""


def _ok(told: Chapter) -> Chapter:
    assert told.status == 0, told.text
    return told


def resizing(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Interrupted twice on its way up, then grown, shrunk again, and every leaf reissued."""

    def kill(lab: int) -> None:
        # The balancer takes a minute, so the update is cut off in the middle of an operation.
        bench.await_step("LoadBalancer", "local-api", lab)
        update = ProcessIdentity.load(bench.workspace.update)
        assert update
        os.kill(lab, signal.SIGKILL)
        os.kill(update.pid, signal.SIGKILL)

    def interrupt(lab: int) -> None:
        bench.await_step("Instance", "local-api-0", lab)
        os.kill(lab, signal.SIGINT)

    yield "killed", bench.lab_up(meanwhile=kill)
    yield "interrupted", chapter(bench, bench.lab_up(meanwhile=interrupt))
    yield "up", _ok(chapter(bench, bench.lab_up()))
    yield "again", _ok(chapter(bench, bench.update("up")))
    yield "refreshed", chapter(bench, bench.pulumi("preview", "--refresh", "--expect-no-changes"))
    bench.set("etcd.size", "5")
    yield "grown", _ok(chapter(bench, bench.update("up")))
    bench.set("etcd.size", "3")
    yield "shrunk", _ok(chapter(bench, bench.update("up")))
    bench.set("pki.epoch", "2")
    yield "previewed", bench.pulumi("preview", "--diff")
    yield "reissued", _ok(chapter(bench, bench.update("up")))
    yield "shown", bench.pulumi("stack", "export", "--show-secrets")


def replacing(bench: Workbench) -> Iterator[tuple[str, Any]]:
    """Every machine replaced, then protected, and in the end destroyed."""
    bench.configure(SMALLER_API)
    yield "up", _ok(chapter(bench, bench.lab_up()))
    bench.set("artifacts.mirror", MIRROR)
    with watched(bench.clients) as samples:
        replaced = bench.update("up")
    yield "replaced", _ok(chapter(bench, replaced, samples))
    bench.set("protect", "true")
    yield "protected", _ok(chapter(bench, bench.update("up")))
    # With its preview, which is what refuses: without one the engine deletes what is not protected.
    yield "refused", chapter(bench, bench.pulumi("destroy", "--yes", "--stack", STACK))
    bench.set("protect", "false")
    yield "unprotected", _ok(chapter(bench, bench.update("up")))
    yield "destroyed", _ok(chapter(bench, bench.update("destroy")))
