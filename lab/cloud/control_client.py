"""The emulator's own endpoints (`lab.cloud.control_api`), from the other side."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from lab.cloud.control_paths import (
    CHANGES,
    CLOCK,
    CONTROLLER,
    INSTANCES,
    INVENTORY,
    LOAD_BALANCERS,
    PATIENCE,
    TARGETS,
)
from lab.lab_errors import LabError


class Control:
    """Talks to one emulator. Everything raises OSError when it does not answer, LabError when it
    refuses."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    def attach(self, consoles: Path) -> None:
        """Take over the states of instances."""
        self._ask("PUT", CONTROLLER, {"consoles": str(consoles)})

    def detach(self) -> None:
        """Give them back."""
        self._ask("DELETE", CONTROLLER)

    def report(self, instance: str, state: str | None, *, reachable: bool | None = None) -> None:
        """Say what a machine did."""
        body: dict[str, object] = {"id": instance, "state": state}
        if reachable is not None:
            body["reachable"] = reachable
        self._ask("POST", INSTANCES, body)

    def target(self, group: str, target: str, state: str) -> None:
        """Say how a target of a target group is."""
        self._ask("POST", TARGETS, {"group": group, "target": target, "state": state})

    def serves(self, load_balancer: str) -> None:
        """Say that a load balancer answers; by its ARN."""
        self._ask("POST", LOAD_BALANCERS, {"arn": load_balancer})

    def reboots(self) -> dict[str, int]:
        """How often each instance was to reboot."""
        return dict(self._ask("GET", INSTANCES)["reboots"])

    def change(self, after: int) -> int:
        """Wait for a change of the account, some seconds at most; the number to wait after next."""
        return int(self._ask("GET", f"{CHANGES}?after={after}")["change"])

    def inventory(self) -> dict[str, list[str]]:
        """Names or ids of every kind of resource, in the account."""
        return dict(self._ask("GET", INVENTORY))

    def skip(self, seconds: float) -> None:
        """Let time pass for Auto Scaling groups, and for nothing else."""
        self._ask("POST", CLOCK, {"seconds": seconds})

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
        connection = HTTPConnection(*self._address, timeout=PATIENCE + 20)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise LabError(f"The AWS emulator refused {method} {path}: {text}")
        return json.loads(text)
