"""`liveness`: watchdog of kube-apiserver, as a kubelet would be: it ends one that has died.

SIGKILL, because one that hangs would not drain either; systemd starts it again. It ends nothing
unless it knows: the API server answered that it does not live, or took a connection and was silent,
or systemd calls it active and nobody listens on its port. A tool that is missing, a certificate
that has expired, an answer that means something else are no death; its line in the journal says
that nobody watches.

While etcd is down a restart would cure nothing and drop every watch. While etcd is full an API
server that has started passes its checks, but one that starts cannot write what it wants to:
`poststarthook/...` fail. Hooks that are not finished are no death: those that matter give up after
30 s to 5 minutes and end the process themselves (Kubernetes 1.36.3).
"""

import ssl
import time
from http.client import HTTPException, HTTPSConnection

from node.contract import API_PORT, API_SERVER_UNIT
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings

HOST, PORT = "127.0.0.1", API_PORT

GRACE_SECONDS = 180
"""For a start: what it does then, such as a first sync of its caches, takes the checks along."""
CHECKS, PAUSE_SECONDS = 3, 10.0
_STARTING = "poststarthook/"
TIMEOUT_SECONDS = 10.0
"""Of one answer; a kubelet's probe of a static pod has 15 s (kubeadm)."""


def run(_settings: Settings, machine: Machine) -> str:
    """Check, and kill what is dead; NodeError when it was, or when nobody can tell."""
    for check in range(CHECKS):
        if check:
            time.sleep(PAUSE_SECONDS)
        if not _up_for_a_while(machine):
            return f"{API_SERVER_UNIT} is not up, or has just started"
        if not (why := death()):
            return "alive"
    # It may have begun to stop meanwhile, and then it drains.
    if not _up_for_a_while(machine):
        return f"{API_SERVER_UNIT} is stopping"
    machine.kill(API_SERVER_UNIT)
    raise NodeError(
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
    failed = _failed(body)
    if status == 200:
        return ""
    if status != 500 or not failed:
        raise NodeError(f"{HOST}:{PORT} answered {status} to /livez: {body[:200]!r}")
    dead = [name for name in failed if not name.startswith(_STARTING)]
    return f"{', '.join(dead)} failed" if dead and not _etcd_fails() else ""


def _etcd_fails() -> bool:
    try:
        return "etcd" in _failed(_ask("/livez?verbose")[1])
    except (OSError, HTTPException):
        # It answered just now: what keeps it busy is what it asks of etcd.
        return True


def _failed(body: str) -> list[str]:
    """The names of failed checks: lines such as "[-]etcd failed: reason withheld"."""
    return [
        line.removeprefix("[-]").split()[0] for line in body.splitlines() if line.startswith("[-]")
    ]


def _ask(path: str) -> tuple[int, str]:
    # Whoever answers on this port of this machine is asked for no secret and told none, and an
    # expired certificate is no reason to kill.
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection(HOST, PORT, timeout=TIMEOUT_SECONDS, context=trust)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()
