"""The emulator's own endpoints, for who watches targets in the place of the load balancer, for who
runs machines (`lab.cloud.machine_reports`), for who asks what there is
(`lab.cloud.resource_kinds`), and for who has no time (`lab.cloud.auto_scaling.clock`).

`/_lab/target-health`: `GET` gives the reports that stand; `POST {"target": "10.0.1.4", "state":
"unhealthy", "group": "name or nothing"}` sets one; `DELETE {"target": "10.0.1.4"}` drops those of a
target, which is then judged as if nobody reported.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from lab.cloud import control_paths, machine_reports, requests, resource_kinds
from lab.cloud.auto_scaling import clock
from lab.cloud.corrections import target_health

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Control:
    """WSGI middleware that answers under the paths of ENDPOINTS, to this machine only, and passes
    everything else on."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        endpoint = ENDPOINTS.get(environ.get("PATH_INFO", ""))
        if endpoint is None:
            return self._application(environ, start_response)
        return respond(Request(environ), endpoint)(environ, start_response)


def respond(request: Request, endpoint: Callable[[Request], object]) -> Response:
    """The answer to one request for an endpoint."""
    if not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - compared, not bound
        return _answer({"error": "only from this machine"}, 403)
    try:
        return _answer(endpoint(request))
    except (ValueError, KeyError, TypeError) as error:
        return _answer({"error": f"not a report: {error}"}, 400)


def health(request: Request) -> object:
    """Give, set or drop reports on targets."""
    if request.method == "GET":
        return [asdict(entry) for entry in target_health.reports()]
    body = json.loads(request.get_data())
    if request.method == "DELETE":
        target_health.forget(body["target"])
    else:
        target_health.report(
            target_health.Report(
                target=body["target"], state=body["state"], group=body.get("group")
            )
        )
    return {}


def _answer(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


ENDPOINTS: Mapping[str, Callable[[Request], object]] = {
    control_paths.TARGETS: health,
    requests.PATH: requests.answer,
    control_paths.CONTROLLER: machine_reports.controller,
    control_paths.INSTANCES: machine_reports.instances,
    control_paths.LOAD_BALANCERS: machine_reports.load_balancer,
    control_paths.CHANGES: machine_reports.changes,
    control_paths.INVENTORY: resource_kinds.inventory,
    control_paths.CLOCK: clock.skip,
}
