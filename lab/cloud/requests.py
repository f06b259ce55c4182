"""Requests to the emulated AWS, as IAM would see them: who, which action, on what.

`GET /_lab/requests` gives every different request so far, `DELETE` forgets them. It is what the
operator's policies are checked with (docs/iam). Bodies are read and not kept: they hold secrets.
"""

import io
import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from werkzeug.wrappers import Request

from lab.cloud.aws_environment import REGION
from lab.machines.frontend.call import Call

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/_lab/requests"
ACCOUNT = "123456789012"
"""The emulator's only one."""


@dataclass(frozen=True, order=True)
class Asked:
    """A request as IAM sees it."""

    access_key: str
    action: str
    resource: str
    """ARN, or `*` where the action has no resource whose name is the program's to choose."""


class Requests:
    """WSGI middleware that remembers what was asked."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Remember one request, and answer it."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        with _lock:
            _seen.update(asked(_call(Request(environ, populate_request=False), body)))
        return self._application(environ, start_response)


_seen: set[Asked] = set()
_lock = threading.Lock()


def answer(request: Request) -> object:
    """Every different request so far; they are forgotten when that is asked for."""
    with _lock:
        if request.method == "DELETE":
            _seen.clear()
        return [asdict(one) for one in sorted(_seen)]


def _call(request: Request, body: bytes) -> Call:
    raw = str(request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or request.path)
    uri = urlsplit(raw)  # with a host in it when the emulator is asked as a proxy
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, request.host, uri.path, uri.query, headers, body)


def asked(call: Call) -> list[Asked]:
    """What a request asks for. Pure. A request that is not signed asks for nothing."""
    if not call.service:
        return []
    prefix = "cloudwatch" if call.service == "monitoring" else call.service
    if prefix == "s3":
        return [Asked(call.access_key, *one) for one in _s3_control(call) or _s3(call)]
    action = f"{prefix}:{call.operation}"
    named = _RESOURCES[prefix](call) if prefix in _RESOURCES else []
    return [Asked(call.access_key, action, resource) for resource in named or ["*"]]


def _arguments(call: Call) -> dict[str, str]:
    """Top-level texts of a request, whatever its protocol; lists as `Name.1`."""
    if "json" in call.headers.get("content-type", ""):
        found: dict[str, str] = {}
        for name, value in call.document().items():
            if isinstance(value, str):
                found[name] = value
            elif isinstance(value, list):
                found |= {f"{name}.{n}": one for n, one in enumerate(value) if isinstance(one, str)}
        return found
    return {name.replace(".member", ""): value for name, value in call.form().items()}


def _ssm(call: Call) -> list[str]:
    names = [
        value
        for name, value in _arguments(call).items()
        if name in {"Name", "Path", "ResourceId"} or name.startswith("Names.")
    ]
    return [f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name.strip('/')}" for name in names]


def _iam(call: Call) -> list[str]:
    arguments = _arguments(call)
    for name, kind in (("InstanceProfileName", "instance-profile"), ("RoleName", "role")):
        if name in arguments:
            return [f"arn:aws:iam::{ACCOUNT}:{kind}/{arguments[name]}"]
    return []


def _sns(call: Call) -> list[str]:
    arguments = _arguments(call)
    if "Name" in arguments:
        return [f"arn:aws:sns:{REGION}:{ACCOUNT}:{arguments['Name']}"]
    return [arguments[name] for name in ("TopicArn", "ResourceArn") if name in arguments]


def _cloudwatch(call: Call) -> list[str]:
    arguments = _arguments(call)
    names = [
        value
        for name, value in arguments.items()
        if name == "AlarmName" or name.startswith("AlarmNames.")
    ]
    arns = [arguments["ResourceARN"]] if "ResourceARN" in arguments else []
    return [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}" for name in names] + arns


def _kms(call: Call) -> list[str]:
    arguments = _arguments(call)
    if "AliasName" in arguments:
        return [f"arn:aws:kms:{REGION}:{ACCOUNT}:{arguments['AliasName']}"]
    return []


def _logs(call: Call) -> list[str]:
    arguments = _arguments(call)
    if "logGroupName" in arguments:
        return [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{arguments['logGroupName']}"]
    return [arguments["resourceArn"]] if "resourceArn" in arguments else []


def _autoscaling(call: Call) -> list[str]:
    """Groups by name: the id in an ARN is AWS's to choose. What only describes has no resource."""
    arguments = _arguments(call)
    names = [
        value
        for name, value in arguments.items()
        if name == "AutoScalingGroupName" or re.fullmatch(r"Tags\.\d+\.ResourceId", name)
    ]
    if call.operation.startswith("Describe"):
        return []
    start = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName"
    return [f"{start}/{name}" for name in sorted(set(names))]


_RESOURCES = {
    "autoscaling": _autoscaling,
    "ssm": _ssm,
    "iam": _iam,
    "sns": _sns,
    "cloudwatch": _cloudwatch,
    "kms": _kms,
    "logs": _logs,
}
"""Of the services whose resources the program names itself."""

_CONFIGURATION = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "analytics": "AnalyticsConfiguration",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "inventory": "InventoryConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "metrics": "MetricsConfiguration",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
"""What IAM calls a bucket's sub-resources, after `Get` or `Put` (service authorization reference,
"Actions, resources, and condition keys for Amazon S3")."""

_DELETED = {"policy": "s3:DeleteBucketPolicy", "website": "s3:DeleteBucketWebsite"}
"""Deletions that are actions of their own; all others are a put of nothing."""


_TAGS = "/v20180820/tags/"
"""Path of S3 Control, before the ARN of what has the tags."""

_TAGGING = {"GET": "s3:ListTagsForResource", "POST": "s3:TagResource", "DELETE": "s3:UntagResource"}


def _s3_control(call: Call) -> list[tuple[str, str]]:
    if not call.path.startswith(_TAGS):
        return []
    return [(_TAGGING[call.method], unquote(call.path.removeprefix(_TAGS)))]


def _s3(call: Call) -> list[tuple[str, str]]:
    bucket, key = call.object()
    arn, names = f"arn:aws:s3:::{bucket}", set(call.arguments)
    if not bucket:
        return [("s3:ListAllMyBuckets", "*")]
    if key:
        return [(action, f"{arn}/{key}") for action in _object(call.method, names)]
    if "delete" in names:
        return [(f"s3:DeleteObject{suffix}", f"{arn}/*") for suffix in ("", "Version")]
    part = next((name for name in sorted(names) if name in _CONFIGURATION), None)
    if part and call.method == "DELETE" and part in _DELETED:
        return [(_DELETED[part], arn)]
    if part:
        return [(f"s3:{'Get' if call.method == 'GET' else 'Put'}{_CONFIGURATION[part]}", arn)]
    return [(_bucket(call.method, names), arn)]


def _bucket(method: str, names: set[str]) -> str:
    if method == "PUT":
        return "s3:CreateBucket"
    if method == "DELETE":
        return "s3:DeleteBucket"
    if "versions" in names:
        return "s3:ListBucketVersions"
    if "uploads" in names:
        return "s3:ListBucketMultipartUploads"
    return "s3:ListBucket"


def _object(method: str, names: set[str]) -> list[str]:
    version = "Version" if "versionId" in names else ""
    if "tagging" in names:
        verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}[method]
        return [f"s3:{verb}Object{version}Tagging"]
    if "acl" in names:
        return [f"s3:{'Get' if method == 'GET' else 'Put'}Object{version}Acl"]
    verb = {"GET": "Get", "HEAD": "Get", "DELETE": "Delete"}.get(method, "Put")
    return [f"s3:{verb}Object{version if verb != 'Put' else ''}"]
