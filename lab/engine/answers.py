"""How a plugin host answers a call that fails: one readable error, without secrets."""

import functools
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message
from pulumi.runtime.proto import status_pb2

from lab.engine.model import Refusal
from lab.engine.properties import decode, redacted


Call = Callable[[Any, Any, grpc.ServicerContext], Any]


def answered(call: Call) -> Call:
    """Turn what a call raises into one readable error of the call, without its secrets."""

    @functools.wraps(call)
    def guarded(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(self, request, context)
        except Refusal as problem:
            message = redacted(str(problem), _secrets_of(request))
            context.abort(grpc.StatusCode.UNKNOWN, message)
        except grpc.RpcError:
            raise
        except Exception:
            if context.code() is not None:  # abort() raises a bare Exception of its own
                raise
            # A fault of the bridge itself: the traceback names the place, and holds no values.
            where = traceback.format_exc(limit=-3).strip().replace("\n", " | ")
            message = redacted(f"the provider stand-in failed: {where}", _secrets_of(request))
            context.abort(grpc.StatusCode.INTERNAL, message)

    return guarded


def _secrets_of(request: Any) -> frozenset[str]:
    """Every secret text in any property of a request."""
    texts: set[str] = set()
    for descriptor, value in request.ListFields():
        message_type = descriptor.message_type
        if message_type is not None and message_type.full_name == "google.protobuf.Struct":
            texts |= decode(value).secret_texts
    return frozenset(texts)


def abort_with_detail(context: grpc.ServicerContext, message: str, detail: Message) -> NoReturn:
    """Fail a call with a message that the engine reads besides the text."""
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, message)
