"""`liveness`: watchdog of kube-apiserver, as a kubelet would be: ends one that died; runs for ever.

SIGKILL, because one that hangs would not drain either; systemd starts it again. It ends nothing
unless it knows: the API server answered that it does not live, or took a connection and was silent,
or systemd calls it active and nobody listens on its port. A tool that is missing, a certificate
that has expired, an answer that means something else are no death; a line in the journal says
that nobody watches, and another one that it is over. While all is well it says nothing.

While etcd is down a restart would cure nothing and drop every watch. While etcd is full an API
server that has started passes its checks, but one that starts cannot write what it wants to:
`poststarthook/...` fail. Hooks that are not finished are no death: those that matter give up after
30 s to 5 minutes and end the process themselves (Kubernetes 1.36.3).
"""

import re
import signal
import ssl
import time
from contextlib import closing
from http.client import HTTPException, HTTPSConnection
from typing import NoReturn

from node import cli
from node.contract import API_PORT, API_SERVER_UNIT
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings

HOST, PORT = "127.0.0.1", API_PORT

INTERVAL_SECONDS = 15.0
"""Between the end of a look and the next one."""
LIMIT_SECONDS = 300
"""Of a look, which takes 50 s when the API server is silent. One that hangs ends this process
(SIGALRM), and systemd starts another one."""
GRACE_SECONDS = 180
"""For a start: what it does then, such as a first sync of its caches, takes the checks along."""
CHECKS, PAUSE_SECONDS = 3, 10.0
_STARTING = "poststarthook/"
_FAILED = re.compile(r"^\[-\] *(\S+)", re.MULTILINE)
"""The name of a failed check, in lines such as "[-]etcd failed: reason withheld"."""
TIMEOUT_SECONDS = 10.0
"""Of one answer; a kubelet's probe of a static pod has 15 s (kubeadm)."""


class KilledError(NodeError):
    """The API server was dead, and has been killed."""


def run(_settings: Settings, machine: Machine) -> NoReturn:
    """Look after the API server until this process is ended."""
    trouble = ""
    while True:
        signal.alarm(LIMIT_SECONDS)
        trouble = look(machine, trouble)
        time.sleep(INTERVAL_SECONDS)


def look(machine: Machine, trouble: str) -> str:
    """Kill the API server if it is dead. `trouble` is of the last look; returns that of this one.

    A trouble is said once, a kill each time. It is over when the API server is known to live, which
    is said too: one that is not up, or starts, may be in the same trouble.
    """
    try:
        lives = check(machine)
    except NodeError as error:
        if isinstance(error, KilledError) or str(error) != trouble:
            cli.complain(f"liveness: {error}")
        return str(error)
    if trouble and lives:
        print(f"liveness: {API_SERVER_UNIT} is alive", flush=True)
    return "" if lives else trouble


def check(machine: Machine) -> bool:
    """Whether the API server lives; False when it is not up, has just started or is stopping.

    Raises KilledError when it was dead, NodeError when nobody can tell.
    """
    for number in range(CHECKS):
        if number:
            time.sleep(PAUSE_SECONDS)
        if not _up_for_a_while(machine):
            return False
        if not (why := death()):
            return True
    # It may have begun to stop meanwhile, and then it drains.
    if not _up_for_a_while(machine):
        return False
    machine.kill(API_SERVER_UNIT)
    raise KilledError(
        f"killed {API_SERVER_UNIT}, which failed {CHECKS} checks, the last one so: {why}"
    )


def _up_for_a_while(machine: Machine) -> bool:
    since = machine.active_since(API_SERVER_UNIT)
    return since is not None and time.monotonic() - since >= GRACE_SECONDS


def death() -> str:
    """How the API server shows that it is dead; empty when it lives, or may not be blamed.

    Raises NodeError when what came back does not tell.
    """
    try:
        status, body = _ask("/livez?exclude=etcd")
    except TimeoutError:
        return f"no answer within {TIMEOUT_SECONDS:.0f} s"
    except ConnectionRefusedError:
        return f"nobody listens on port {PORT}"
    except (OSError, HTTPException) as error:
        raise NodeError(f"{HOST}:{PORT} does not answer as an API server: {error!r}") from error
    failed = _FAILED.findall(body)
    if status == 200:
        return ""
    if status != 500 or not failed:
        raise NodeError(f"{HOST}:{PORT} answered {status} to /livez: {body[:200]!r}")
    dead = [name for name in failed if not name.startswith(_STARTING)]
    return f"{', '.join(dead)} failed" if dead and not _etcd_fails() else ""


def _etcd_fails() -> bool:
    try:
        return "etcd" in _FAILED.findall(_ask("/livez?verbose")[1])
    except (OSError, HTTPException):
        # It answered just now: what keeps it busy is what it asks of etcd.
        return True


def _ask(path: str) -> tuple[int, str]:
    # Whoever answers on this port of this machine is asked for no secret and told none, and an
    # expired certificate is no reason to kill.
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection(HOST, PORT, timeout=TIMEOUT_SECONDS, context=trust)
    with closing(connection):
        connection.request("GET", path)
        with connection.getresponse() as response:
            return response.status, response.read().decode(errors="replace")
