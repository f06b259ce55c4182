"""The whole program on the real engine: what a living cluster would not survive is refused in the
preview, and what an unprotected one is told works."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lab.tests.engine.program.steps import Step
from lab.tests.engine.program.workbench import Finished, Workbench
from lab.workspace import STACK

SMALL: Mapping[str, Any] = {
    "aws:region": "eu-central-1",
    "ha-kubernetes:protect": False,
    "ha-kubernetes:etcd": {"size": 1, "dataVolume": {"sizeGib": 20}},
    "ha-kubernetes:api": {"size": 1},
}
PROTECTED = {**SMALL, "ha-kubernetes:protect": True, "ha-kubernetes:api": {"size": 2}}
PUBLIC = {"internal": False, "allowedCidrs": ["203.0.113.0/24"]}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    bench = Workbench(tmp_path_factory.mktemp("refusals"))
    bench.configure(SMALL)
    made = bench.lab_up()
    assert made.status == 0, made.text
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def flipped(bench: Workbench) -> tuple[Step, ...]:
    """An unprotected cluster gets a public balancer."""
    bench.configure({**SMALL, "ha-kubernetes:api": {"size": 1, **PUBLIC}})
    done = bench.update("up")
    assert done.status == 0, done.text
    assert "api.internal: changes from true to false" in done.text
    return done.steps


def test_an_unprotected_cluster_gets_its_other_balancer_after_the_old_one_is_gone(
    bench: Workbench, flipped: tuple[Step, ...]
) -> None:
    steps = {(step.op, step.type.rpartition(":")[2]): step for step in flipped}
    gone = steps["delete-replaced", "LoadBalancer"].end
    assert steps["delete-replaced", "Listener"].end < gone
    assert gone < steps["create-replacement", "LoadBalancer"].began
    assert ("create-replacement", "TargetGroup") not in steps
    assert ("create-replacement", "Instance") not in steps
    (balancer,) = bench.aws("elbv2").describe_load_balancers()["LoadBalancers"]
    assert balancer["Scheme"] == "internet-facing"
    (group,) = bench.aws("elbv2").describe_target_groups()["TargetGroups"]
    assert group["LoadBalancerArns"] == [balancer["LoadBalancerArn"]]
    health = bench.aws("elbv2").describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    assert len(health["TargetHealthDescriptions"]) == 1


@pytest.fixture(scope="module")
def protected(bench: Workbench, flipped: tuple[Step, ...]) -> Mapping[str, Any]:
    """The cluster is protected from here on."""
    config = {**PROTECTED, "ha-kubernetes:api": {"size": 2, **PUBLIC}}
    bench.configure(config)
    done = bench.update("up")
    assert done.status == 0, done.text
    return config


FATAL: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "another network": ({"network": {"cidr": "10.1.0.0/16"}}, "network.cidr: must stay"),
    "other Services": ({"network": {"serviceCidr": "10.97.0.0/16"}}, "network.serviceCidr: must"),
    "other zones": (
        {"network": {"zones": ["eu-central-1a", "eu-central-1b"], "acceptTwoZones": True}},
        "network.zones: must keep eu-central-1c",
    ),
    "another balancer": ({"api": {"size": 2}}, "api.internal: must stay false"),
    "another cluster name": ({"clusterName": "other"}, "clusterName is now 'other'"),
    "smaller volumes": (
        {"etcd": {"size": 1, "dataVolume": {"sizeGib": 10}}},
        "etcd.dataVolume.sizeGib: must be at least 20",
    ),
}


@pytest.mark.parametrize("change", FATAL)
def test_a_preview_refuses_what_would_take_a_protected_cluster_down(
    bench: Workbench, protected: Mapping[str, Any], change: str
) -> None:
    values, says = FATAL[change]
    bench.configure({**protected, **{f"ha-kubernetes:{key}": v for key, v in values.items()}})
    _refused(bench.pulumi("preview", "--stack", STACK), says)


def test_certificates_wait_for_a_clock_that_is_right(
    bench: Workbench, protected: Mapping[str, Any]
) -> None:
    bench.configure({**protected, "ha-kubernetes:pki": {"epoch": 2}})
    with _an_hour_ago() as endpoint:
        told = bench.pulumi("preview", "--stack", STACK, AWS_ENDPOINT_URL_STS=endpoint)
    _refused(told, "pki: this machine's clock is 60 minutes ahead of AWS's")
    assert "pki-issuance" in told.text
    bench.configure(protected)
    with _an_hour_ago() as endpoint:
        unchanged = bench.pulumi("preview", "--stack", STACK, AWS_ENDPOINT_URL_STS=endpoint)
    assert unchanged.status == 0, unchanged.text
    bench.configure({**protected, "ha-kubernetes:pki": {"epoch": 2}})
    right = bench.pulumi("preview", "--stack", STACK)
    assert right.status == 0, right.text


def _refused(told: Finished, says: str) -> None:
    assert told.status != 0
    assert "Traceback" not in told.text
    assert any(says in line for line in told.errors), told.text


@contextlib.contextmanager
def _an_hour_ago() -> Iterator[str]:
    """An STS whose clock is an hour behind."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = (
                b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
                b"<GetCallerIdentityResult><Account>123456789012</Account>"
                b"<Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>u</UserId>"
                b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def date_time_string(self, timestamp: float | None = None) -> str:
            hour = timedelta(hours=1).total_seconds()
            return super().date_time_string(int((timestamp or time.time()) - hour))

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
