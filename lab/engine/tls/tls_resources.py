"""The four resource types: what they take, check and make."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives import serialization

from lab.engine.model import RefusedError
from lab.engine.properties import UNKNOWN
from lab.engine.tls import keys, x509_certificates
from lab.engine.tls.usages import ALL_USAGES

Made = tuple[str, dict[str, Any]]
"""A resource's identifier and its computed outputs."""


@dataclass(frozen=True)
class ResourceType:
    """One resource type of pulumi-tls."""

    make: Callable[[Mapping[str, Any]], Made]
    required: frozenset[str]
    optional: frozenset[str]
    computed: frozenset[str]
    secret: frozenset[str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    in_place: frozenset[str] = frozenset()
    """Inputs whose change does not make a new resource."""

    def problems(self, properties: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What is wrong with the inputs, as (property, sentence); never repeats a secret."""
        given = {name for name in properties if not name.startswith("__")}
        found = [
            (name, "no such property in the tls provider stand-in")
            for name in sorted(given - self.required - self.optional)
        ]
        found += [
            (name, "is required") for name in sorted(self.required) if properties.get(name) is None
        ]
        found += _choice(properties, "algorithm", keys.ALGORITHMS)
        found += _choice(properties, "ecdsaCurve", tuple(keys.CURVES))
        uses = properties.get("allowedUses")
        for use in uses if isinstance(uses, list) else ():
            if use is not UNKNOWN and use not in ALL_USAGES:
                found.append(("allowedUses", f"{use!r} is not a known use"))
        hours = properties.get("validityPeriodHours")
        if isinstance(hours, int | float) and (hours < 0 or hours != int(hours)):
            found.append(("validityPeriodHours", "must be a whole number of hours, 0 or more"))
        return found


def _choice(
    properties: Mapping[str, Any], name: str, allowed: tuple[str, ...]
) -> list[tuple[str, str]]:
    value = properties.get(name)
    if value is None or value is UNKNOWN or value in allowed:
        return []
    return [(name, f"must be one of {', '.join(allowed)}, got {value!r}")]


def _private_key(properties: Mapping[str, Any]) -> Made:
    key = keys.generated(
        properties["algorithm"], properties["ecdsaCurve"], int(properties["rsaBits"])
    )
    identifier = hashlib.sha1(keys.public_der(key), usedforsecurity=False).hexdigest()
    return identifier, keys.key_outputs(key)


def _cert_request(properties: Mapping[str, Any]) -> Made:
    request = x509_certificates.certificate_request(properties)
    der = request.public_bytes(serialization.Encoding.DER)
    identifier = hashlib.sha1(der, usedforsecurity=False).hexdigest()
    algorithm = keys.algorithm_of(x509_certificates.signing_key(properties))
    return identifier, {"certRequestPem": x509_certificates.pem(request), "keyAlgorithm": algorithm}


def _certificate(
    sign: Callable[[Mapping[str, Any]], Any], algorithm_output: str
) -> Callable[[Mapping[str, Any]], Made]:
    def make(properties: Mapping[str, Any]) -> Made:
        certificate = sign(properties)
        algorithm = keys.algorithm_of(x509_certificates.signing_key(properties))
        outputs: dict[str, Any] = {
            "certPem": x509_certificates.pem(certificate),
            "validityStartTime": _rfc3339(certificate.not_valid_before_utc),
            "validityEndTime": _rfc3339(certificate.not_valid_after_utc),
            algorithm_output: algorithm,
        }
        outputs["readyForRenewal"] = ready_for_renewal({**properties, **outputs})
        return str(certificate.serial_number), outputs

    return make


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def ready_for_renewal(properties: Mapping[str, Any], now: datetime | None = None) -> bool:
    """Whether a certificate is so near its end that it must be made again."""
    end = datetime.fromisoformat(properties["validityEndTime"])
    early = timedelta(hours=properties.get("earlyRenewalHours") or 0)
    return (now or datetime.now(UTC)) >= end - early


_CERTIFICATE_OPTIONS: Final = frozenset({"earlyRenewalHours", "isCaCertificate", "maxPathLength"})
_CERTIFICATE_OUTPUTS: Final = frozenset(
    {"certPem", "readyForRenewal", "validityEndTime", "validityStartTime"}
)
_CERTIFICATE_DEFAULTS: Final = {
    "earlyRenewalHours": 0,
    "isCaCertificate": False,
    "setSubjectKeyId": False,
}
_NAMES: Final = frozenset({"subject", "dnsNames", "ipAddresses", "uris"})

RESOURCE_TYPES: Final[Mapping[str, ResourceType]] = {
    "tls:index/privateKey:PrivateKey": ResourceType(
        make=_private_key,
        required=frozenset({"algorithm"}),
        optional=frozenset({"ecdsaCurve", "rsaBits"}),
        computed=frozenset(
            {
                "privateKeyOpenssh",
                "privateKeyPem",
                "privateKeyPemPkcs8",
                "publicKeyFingerprintMd5",
                "publicKeyFingerprintSha256",
                "publicKeyOpenssh",
                "publicKeyPem",
            }
        ),
        secret=frozenset({"privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"}),
        defaults={"ecdsaCurve": keys.DEFAULT_CURVE, "rsaBits": keys.DEFAULT_RSA_BITS},
    ),
    "tls:index/certRequest:CertRequest": ResourceType(
        make=_cert_request,
        required=frozenset({"privateKeyPem"}),
        optional=_NAMES,
        computed=frozenset({"certRequestPem", "keyAlgorithm"}),
        secret=frozenset({"privateKeyPem"}),
    ),
    "tls:index/selfSignedCert:SelfSignedCert": ResourceType(
        make=_certificate(x509_certificates.self_signed, "keyAlgorithm"),
        required=frozenset({"allowedUses", "privateKeyPem", "validityPeriodHours"}),
        optional=_NAMES | _CERTIFICATE_OPTIONS | {"setAuthorityKeyId", "setSubjectKeyId"},
        computed=_CERTIFICATE_OUTPUTS | {"keyAlgorithm"},
        secret=frozenset({"privateKeyPem"}),
        defaults={**_CERTIFICATE_DEFAULTS, "setAuthorityKeyId": False},
        in_place=frozenset({"earlyRenewalHours"}),
    ),
    "tls:index/locallySignedCert:LocallySignedCert": ResourceType(
        make=_certificate(x509_certificates.locally_signed, "caKeyAlgorithm"),
        required=frozenset(
            {"allowedUses", "caCertPem", "caPrivateKeyPem", "certRequestPem", "validityPeriodHours"}
        ),
        optional=_CERTIFICATE_OPTIONS | {"setSubjectKeyId"},
        computed=_CERTIFICATE_OUTPUTS | {"caKeyAlgorithm"},
        secret=frozenset({"caPrivateKeyPem"}),
        defaults=_CERTIFICATE_DEFAULTS,
        in_place=frozenset({"earlyRenewalHours"}),
    ),
}


def resource_type(urn: str) -> ResourceType:
    """The type of a resource by its URN; raises RefusedError."""
    token = urn.split("::")[-2].rpartition("$")[2]
    if token not in RESOURCE_TYPES:
        message = (
            f"{token} is not among the types of the tls provider stand-in "
            f"({', '.join(RESOURCE_TYPES)}): install Pulumi's official tls plugin"
        )
        raise RefusedError(message)
    return RESOURCE_TYPES[token]
