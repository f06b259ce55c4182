"""Join token: what a kubelet asks for its first certificate with.

The control plane makes it, stores it and renews it every hour; it lives for two. A kubelet without
a certificate reads its kubeconfig whenever it starts, and ends by itself after five minutes without
one (client-go, UpdateTransport), so that it finds the next token. Once there is a certificate, the
token goes: a worker keeps nothing that another machine could join with.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from node import files
from node.contract import BOOTSTRAP_KUBECONFIG, KUBERNETES_PKI, RUNTIME
from node.errors import NodeError
from node.settings import Settings, at
from node.worker import certificate

TROUBLE = f"{RUNTIME}/join-token"
"""Why there is no token that is worth a try, for `report`; no file where there is one."""


@dataclass(frozen=True)
class JoinToken:
    """A token."""

    token: str = field(repr=False)
    """<id>.<secret>"""
    expires: datetime


def parse(text: str) -> JoinToken:
    """The parameter's value. Raises ValueError when it is no token; never says what it was."""
    try:
        document = json.loads(text)
        token, expires = document["token"], datetime.fromisoformat(document["expires"])
    except (ValueError, KeyError, TypeError):
        raise ValueError("no token") from None
    if not isinstance(token, str) or "." not in token or expires.tzinfo is None:
        raise ValueError("no token")
    return JoinToken(token, expires)


def kubeconfig(api: str, token: str) -> str:
    """What kubelet bootstraps with. JSON, which is YAML too."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "cluster",
                "cluster": {"server": api, "certificate-authority": f"{KUBERNETES_PKI}/ca.crt"},
            }
        ],
        "users": [{"name": "bootstrap", "user": {"token": token}}],
        "contexts": [{"name": "bootstrap", "context": {"cluster": "cluster", "user": "bootstrap"}}],
        "current-context": "bootstrap",
    }
    return json.dumps(document, indent=1) + "\n"


def follow(settings: Settings, api: str) -> list[str]:
    """Have a token while kubelet has no certificate, and none afterwards; what was done.

    Parameter Store is asked only without a certificate: a worker that joined needs no AWS for it.
    """
    path = at(BOOTSTRAP_KUBECONFIG)
    if certificate.joined():
        at(TROUBLE).unlink(missing_ok=True)
        if path.exists():
            path.unlink()
            return ["joined: removed the join token"]
        return []
    try:
        found = _fetch(settings)
    except NodeError as error:
        files.write(at(TROUBLE), str(error))
        return [f"no join token: {error}"]
    at(TROUBLE).unlink(missing_ok=True)
    if files.write(path, kubeconfig(api, found.token), 0o600):
        return ["wrote the join token"]
    return []


def _fetch(settings: Settings) -> JoinToken:
    # boto3 costs half a second of CPU, and a worker that joined never needs it here.
    from node.aws import ParameterStore  # noqa: PLC0415

    name = settings.parameters["joinToken"]
    try:
        found = parse(ParameterStore(settings.region).secret(name))
    except ValueError:
        raise NodeError(
            f"parameter {name} holds no join token: ha-cluster-agent on the API servers has not "
            "made one yet, or makes another once it is restarted"
        ) from None
    except NodeError as error:
        if "ParameterNotFound" in str(error):
            raise NodeError(
                f"parameter {name} does not exist yet: ha-cluster-agent on the API servers makes it"
            ) from error
        raise
    if found.expires <= datetime.now(UTC):
        raise NodeError(
            f"the join token expired at {found.expires:%Y-%m-%d %H:%M:%S} UTC: "
            "ha-cluster-agent on the API servers no longer renews it, or this clock is wrong"
        )
    return found


def trouble() -> str:
    """Why there is no token that is worth a try; empty when there is one."""
    if said := files.read(at(TROUBLE)):
        return said
    return "" if at(BOOTSTRAP_KUBECONFIG).exists() else "nobody has asked for it: ha-node reconcile"


def held() -> str | None:
    """The token on this machine; None without one."""
    try:
        document = json.loads(files.read(at(BOOTSTRAP_KUBECONFIG)) or "")
        return str(document["users"][0]["user"]["token"])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
