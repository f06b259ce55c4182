"""Refusals of AWS, in the words of each protocol. Pure."""

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lab.machines.frontend.call import Call


@dataclass(frozen=True)
class Refusal:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


def denied(call: Call, who: str, action: str, resource: str) -> Refusal:
    """AccessDenied."""
    message = (
        f"User: {who} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    return _refusal(call, "AccessDenied", message)


def unknown_keys(call: Call) -> Refusal:
    """The request carries no keys, or nobody's."""
    return _refusal(call, "InvalidClientTokenId", "The security token in the request is invalid.")


_JSON = {"AccessDenied": "AccessDeniedException"} | {
    "InvalidClientTokenId": "UnrecognizedClientException"
}
_S3 = {"InvalidClientTokenId": "InvalidAccessKeyId"}


def _refusal(call: Call, code: str, message: str) -> Refusal:
    if call.service == "s3":
        text = f"<Code>{_S3.get(code, code)}</Code><Message>{escape(message)}</Message>"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{text}</Error>'
        return Refusal(403, "application/xml", body.encode())
    if "json" in call.headers.get("content-type", ""):
        body = json.dumps({"__type": _JSON.get(code, code), "message": message})
        return Refusal(400, "application/x-amz-json-1.1", body.encode())
    error = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    if call.service == "ec2":
        inner = f"<Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        return Refusal(403, "text/xml", f"<Response>{inner}</Errors></Response>".encode())
    body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
    return Refusal(403, "text/xml", body.encode())
