"""The front end as a WSGI application: AWS requests go to the emulator if the caller's role allows
them, downloads come from the store, everything else is not there."""

import sys
from collections.abc import Callable, Iterable
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

from lab.machines.download_store import Store
from lab.machines.frontend import refusal
from lab.machines.frontend.call import Call
from lab.machines.frontend.policy import UnknownConditionError, allowed
from lab.machines.frontend.required_permissions import (
    Lookup,
    UnknownOperationError,
    required_permissions,
)
from lab.machines.roles import Caller, Roles

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

AWS_DOMAIN = ".amazonaws.com"

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}
_NOT_SENT_ON = _HOP_BY_HOP | {"content-length", "expect"}
_NOT_GIVEN_BACK = _HOP_BY_HOP | {"date", "server"}
"""The server adds its own; a date that stands there twice is none, and nodes need one."""
CHUNK = 1 << 20


class FrontEnd:
    """Answers for one account."""

    def __init__(
        self,
        *,
        emulator: tuple[str, int],
        region: str,
        account: str,
        roles: Roles,
        lookup: Lookup,
        store: Callable[[], Store],
    ) -> None:
        self._emulator = emulator
        self._region, self._account = region, account
        self._roles, self._lookup, self._store = roles, lookup, store

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        host = request.host.partition(":")[0]
        if host.endswith(AWS_DOMAIN):
            response = self._aws(_call(request, host))
        else:
            response = self._download(request, host)
        return response(environ, start_response)

    def _download(self, request: Request, host: str) -> Response:
        store, headers = self._store(), {}
        path, kind = store.find(host, request.path), "application/octet-stream"
        image = store.images.find(host, request.path)
        if image is not None:
            path, kind = image.file, image.media_type
            headers["Docker-Content-Digest"] = image.digest
        if path is None or request.method not in {"GET", "HEAD"}:
            return Response("not here\n", 404)
        return Response(
            wrap_file(request.environ, path.open("rb"), CHUNK),
            headers={"Content-Length": str(path.stat().st_size), **headers},
            content_type=kind,
            direct_passthrough=True,
        )

    def _aws(self, call: Call) -> Response:
        caller = self._roles.caller(call.access_key, call.token)
        if caller is None:
            return _response(refusal.unknown_keys(call))
        refused = self._refused(call, caller)
        if refused is not None:
            return _response(refused)
        return self._pass_on(call)

    def _refused(self, call: Call, caller: Caller) -> refusal.Refusal | None:
        who = f"arn:aws:sts::{self._account}:assumed-role/{caller.role}/{caller.instance}"
        try:
            policies = self._roles.policies(caller.role)
            for permission in required_permissions(call, self._region, self._account, self._lookup):
                if not allowed(policies, permission):
                    return refusal.denied(call, who, permission.action, permission.resource)
        except (UnknownOperationError, UnknownConditionError) as error:
            print(f"refused {who}: {error}", file=sys.stderr, flush=True)
            return refusal.denied(call, who, str(error), "*")
        return None

    def _pass_on(self, call: Call) -> Response:
        connection = HTTPConnection(*self._emulator, timeout=120)
        headers = {k: v for k, v in call.headers.items() if k not in _NOT_SENT_ON}
        headers["content-length"] = str(len(call.body))
        target = f"{call.path}?{call.query}" if call.query else call.path
        try:
            connection.request(call.method, target, body=call.body, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        except OSError as error:
            print(f"the emulator did not answer: {error}", file=sys.stderr, flush=True)
            return Response("", 503)
        finally:
            connection.close()
        kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in _NOT_GIVEN_BACK]
        response = Response(body, answer.status)
        response.headers.clear()
        response.headers.extend(kept)
        return response


def _call(request: Request, host: str) -> Call:
    raw = request.environ.get("REQUEST_URI") or request.environ["RAW_URI"]
    path, _, query = str(raw).partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, host, path, query, headers, request.get_data())


def _response(one: refusal.Refusal) -> Response:
    return Response(one.body, one.status, content_type=one.content_type)
