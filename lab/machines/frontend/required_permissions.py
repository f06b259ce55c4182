"""Permissions that a request needs. Pure: what only the account knows comes from a Lookup."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from lab.machines.frontend.call import Call
from lab.machines.frontend.policy import Permission


class UnknownOperationError(Exception):
    """Nobody here knows what permission an operation needs, so it is refused."""


class Lookup(Protocol):
    """What the account knows."""

    def secure_parameters(self, path: str) -> Iterable[tuple[str, str]]:
        """Name and key ARN of the encrypted parameters of that name or right below that path."""
        ...

    def bucket_key(self, bucket: str) -> str | None:
        """ARN of the key that a bucket encrypts with by default."""
        ...

    def key(self, key_id: str) -> str:
        """ARN of a key given by id, alias or ARN."""
        ...

    def scaling_group(self, name: str) -> tuple[str, Mapping[str, str]]:
        """ARN and tags of an Auto Scaling group; an ARN that nothing allows when there is none."""
        ...


def required_permissions(call: Call, region: str, account: str, lookup: Lookup) -> list[Permission]:
    """Every permission that the caller must have. Raises UnknownOperationError."""
    match call.service:
        case "ssm":
            return _ssm(call, region, account, lookup)
        case "s3":
            return _s3(call, region, lookup)
        case "kms":
            return _kms(call, lookup)
        case "monitoring":
            return [Permission("cloudwatch:" + call.operation, "*", _namespace(call))]
        case "autoscaling":
            return _autoscaling(call, lookup)
        case "ec2" | "elasticloadbalancing" | "sts":
            action = f"{call.service}:{call.operation}"
            return [] if action == "sts:GetCallerIdentity" else [Permission(action, "*")]
    raise UnknownOperationError(f"{call.service or 'unsigned'} {call.operation}")


_ON_GROUPS = {
    "CompleteLifecycleAction",
    "RecordLifecycleActionHeartbeat",
    "SetDesiredCapacity",
    "UpdateAutoScalingGroup",
}
"""Actions on one group that machines may have reason for; all others that have a group are
refused."""


def _autoscaling(call: Call, lookup: Lookup) -> list[Permission]:
    action, name = f"autoscaling:{call.operation}", call.form().get("AutoScalingGroupName", "")
    if call.operation.startswith("Describe"):
        return [Permission(action, "*")]
    if call.operation not in _ON_GROUPS:
        raise UnknownOperationError(f"autoscaling {call.operation}")
    arn, tags = lookup.scaling_group(name)
    context = {
        f"{prefix}:ResourceTag/{key}": value
        for prefix in ("aws", "autoscaling")
        for key, value in tags.items()
    }
    return [Permission(action, arn, context)]


def _ssm(call: Call, region: str, account: str, lookup: Lookup) -> list[Permission]:
    document, operation = call.document(), call.operation
    names = {
        "GetParameter": [document.get("Name", "")],
        "GetParameterHistory": [document.get("Name", "")],
        "GetParameters": document.get("Names", []),
        "GetParametersByPath": [document.get("Path", "")],
        "PutParameter": [document.get("Name", "")],
        "DeleteParameter": [document.get("Name", "")],
    }.get(operation)
    if names is None:
        raise UnknownOperationError(f"ssm {operation}")
    found = []
    for name in names:
        path = "/" + str(name).strip("/")
        found.append(Permission(f"ssm:{operation}", _parameter(region, account, path)))
        if document.get("WithDecryption"):
            found += [
                Permission("kms:Decrypt", key, _parameter_context(region, account, parameter))
                for parameter, key in lookup.secure_parameters(path)
            ]
    if operation == "PutParameter" and document.get("Type") == "SecureString":
        key = lookup.key(document.get("KeyId", "alias/aws/ssm"))
        context = _parameter_context(region, account, "/" + str(names[0]).strip("/"))
        found.append(Permission("kms:Encrypt", key, context))
    return found


def _parameter(region: str, account: str, path: str) -> str:
    return f"arn:aws:ssm:{region}:{account}:parameter{path}"


def _parameter_context(region: str, account: str, name: str) -> dict[str, str]:
    return {
        "kms:EncryptionContext:PARAMETER_ARN": _parameter(region, account, name),
        "kms:ViaService": f"ssm.{region}.amazonaws.com",
    }


_KMS_SINGLE = {"Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey", "ReEncrypt"}


def _kms(call: Call, lookup: Lookup) -> list[Permission]:
    document = call.document()
    if call.operation not in _KMS_SINGLE or "KeyId" not in document:
        raise UnknownOperationError(f"kms {call.operation}")
    context = {
        f"kms:EncryptionContext:{key}": str(value)
        for key, value in document.get("EncryptionContext", {}).items()
    }
    return [Permission(f"kms:{call.operation}", lookup.key(document["KeyId"]), context)]


_OBJECT = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "POST": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}
"""Actions on objects; a POST is a part of a multipart upload."""

_SUBRESOURCES = {"acl", "tagging", "retention", "legal-hold", "torrent", "restore", "select"}
_BUCKET_QUERY = {"list-type", "prefix", "delimiter", "max-keys", "continuation-token"}
_BUCKET_QUERY |= {"start-after", "encoding-type", "fetch-owner", "marker"}


def _s3(call: Call, region: str, lookup: Lookup) -> list[Permission]:
    bucket, key = call.object()
    arguments = call.arguments
    arn = f"arn:aws:s3:::{bucket}"
    if key:
        if _SUBRESOURCES & set(arguments) or call.method not in _OBJECT:
            raise UnknownOperationError(f"s3 {call.method} {call.path}?{call.query}")
        action = _OBJECT[call.method]
        if "versionId" in arguments:
            action += "Version"
        if call.method == "DELETE" and "uploadId" in arguments:
            action = "s3:AbortMultipartUpload"
        encryption = _encryption(call.method, bucket, region, lookup)
        return [Permission(action, f"{arn}/{key}"), *encryption]
    if bucket and call.method in {"GET", "HEAD"} and set(arguments) <= _BUCKET_QUERY:
        context = {
            f"s3:{name}": arguments[name] for name in ("prefix", "delimiter") if name in arguments
        }
        return [Permission("s3:ListBucket", arn, context)]
    raise UnknownOperationError(f"s3 {call.method} {call.path}?{call.query}")


def _encryption(method: str, bucket: str, region: str, lookup: Lookup) -> list[Permission]:
    """What S3 does with the bucket's key on the caller's behalf."""
    action = {"GET": "kms:Decrypt", "PUT": "kms:GenerateDataKey", "POST": "kms:Decrypt"}.get(method)
    arn = lookup.bucket_key(bucket) if action else None
    if action is None or arn is None:
        return []
    context = {
        "kms:ViaService": f"s3.{region}.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
    }
    return [Permission(action, arn, context)]


def _namespace(call: Call) -> dict[str, str]:
    if call.operation != "PutMetricData":
        return {}
    if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        namespace = call.form().get("Namespace", "")
    else:
        namespace = str(call.document().get("Namespace", ""))
    return {"cloudwatch:namespace": namespace}
