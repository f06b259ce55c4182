"""The emulator's own endpoints for who runs machines.

`/_lab/controller`: `PUT {"consoles": "directory"}` attaches the controller, so that states wait for
it from now on; `DELETE` detaches it. `/_lab/instances`: `GET` says how often each instance was to
reboot; `POST {"id": "i-...", "state": "running", "reachable": true}`, both optional, reports what a
machine did. `/_lab/load-balancers`: `POST {"arn": "arn:..."}` reports that a load balancer
answers. `/_lab/changes?after=7`: waits until the account changed, PATIENCE seconds at most, and
gives the number to wait after next.
"""

import json
from pathlib import Path

from werkzeug.wrappers import Request

from lab.cloud.change_counter import COUNTER
from lab.cloud.control_paths import PATIENCE
from lab.cloud.corrections import life_cycle, load_balancers


def controller(request: Request) -> object:
    """Attach or detach."""
    if request.method == "DELETE":
        life_cycle.MACHINES.consoles = None
    else:
        life_cycle.MACHINES.consoles = Path(json.loads(request.get_data())["consoles"])
    return {}


def instances(request: Request) -> object:
    """Take a report, or say what was asked for besides states."""
    if request.method == "GET":
        return {"reboots": dict(life_cycle.MACHINES.reboots)}
    body = json.loads(request.get_data())
    life_cycle.report(body["id"], body.get("state"), reachable=body.get("reachable"))
    COUNTER.increase()
    return {}


def load_balancer(request: Request) -> object:
    """Take the report of a load balancer."""
    load_balancers.report(json.loads(request.get_data())["arn"])
    return {}


def changes(request: Request) -> object:
    """Wait for a change."""
    return {"change": COUNTER.after(int(request.args["after"]), PATIENCE)}
