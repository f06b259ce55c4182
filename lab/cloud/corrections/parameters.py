"""Parameters of Parameter Store, and the keys that encrypt them.

Stock moto stores values of any length under keys that do not exist or wait for their deletion. In
AWS both fail, the second one also for the nodes that read.
"""

from moto.kms.models import KmsBackend, kms_backends
from moto.ssm.exceptions import ValidationException
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

from lab.cloud.corrections.patching import Method, extends, given

BYTES = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}
"""Longest value of a tier (Systems Manager guide, "Managing parameter tiers")."""


@extends(SimpleSystemManagerBackend, "put_parameter")
def put_parameter(
    original: Method, backend: SimpleSystemManagerBackend, *args: object, **kwargs: object
) -> Parameter:
    """PutParameter. Raises ValidationException."""
    asked = given(original, backend, *args, **kwargs)
    value, tier = str(asked["value"] or ""), str(asked["tier"] or "Standard")
    if len(value.encode()) > BYTES.get(tier, BYTES["Standard"]):
        raise ValidationException(
            f"{tier} tier parameters support a maximum parameter value of "
            f"{BYTES.get(tier, BYTES['Standard'])} characters."
        )
    if asked["parameter_type"] == "SecureString" and asked["keyid"]:
        keys: KmsBackend = kms_backends[backend.account_id][backend.region_name]
        _check(keys, str(asked["keyid"]))
    parameter: Parameter = original(backend, *args, **kwargs)
    return parameter


def _check(keys: KmsBackend, key: str) -> None:
    if key.startswith("alias/aws/"):
        return
    alias = ":alias/" in key or key.startswith("alias/")
    key_id = keys.get_key_id_from_alias(key) if alias else keys.get_key_id(key)
    found = keys.keys.get(key_id) if key_id else None
    if found is None:
        raise ValidationException(f"Invalid keyId {key} (InvalidKeyId)")
    if found.key_state != "Enabled":
        raise ValidationException(
            f"{found.arn} is pending deletion or disabled (KMSInvalidStateException)"
        )
