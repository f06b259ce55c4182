"""Answers of a plugin host to a call that fails: one readable error, without secrets."""

import functools
import traceback
from collections.abc import Callable
from typing import NoReturn, TypeVar

import grpc
from google.protobuf.message import Message
from pulumi.runtime.proto import status_pb2

from lab.engine.model import RefusedError
from lab.engine.properties import decode, redacted

Servicer = TypeVar("Servicer")
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class PartialError(Exception):
    """A call failed half-way; the detail tells the engine what exists nevertheless."""

    def __init__(self, message: str, detail: Message) -> None:
        super().__init__(message)
        self.detail = detail


def answered(
    call: Callable[[Servicer, Request, grpc.ServicerContext], Response],
) -> Callable[[Servicer, Request, grpc.ServicerContext], Response]:
    """Turn what a call raises into one readable error of the call, without its secrets."""

    @functools.wraps(call)
    def guarded(self: Servicer, request: Request, context: grpc.ServicerContext) -> Response:
        try:
            return call(self, request, context)
        except PartialError as problem:
            message, detail, code = str(problem), problem.detail, grpc.StatusCode.UNKNOWN
        except RefusedError as problem:
            message, detail, code = str(problem), None, grpc.StatusCode.UNKNOWN
        except Exception:
            # A fault of the stand-in itself: the end of the traceback names the place.
            where = traceback.format_exc(limit=-3).strip().replace("\n", " | ")
            message, detail = f"the provider stand-in failed: {where}", None
            code = grpc.StatusCode.INTERNAL
        _abort(context, code, redacted(message, _secrets_of(request)), detail)

    return guarded


def _secrets_of(request: Message) -> frozenset[str]:
    """Every secret text in any property of a request."""
    texts: set[str] = set()
    for descriptor, value in request.ListFields():
        message_type = descriptor.message_type
        if message_type is not None and message_type.full_name == "google.protobuf.Struct":
            texts |= decode(value).secret_texts
    return frozenset(texts)


def _abort(
    context: grpc.ServicerContext, code: grpc.StatusCode, message: str, detail: Message | None
) -> NoReturn:
    if detail is not None:
        status = status_pb2.Status(code=code.value[0], message=message)
        status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)
