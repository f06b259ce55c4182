"""Private keys in the forms that pulumi-tls gives them."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from lab.engine.model import RefusedError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

CURVES: Final[Mapping[str, Callable[[], ec.EllipticCurve]]] = {
    "P224": ec.SECP224R1,
    "P256": ec.SECP256R1,
    "P384": ec.SECP384R1,
    "P521": ec.SECP521R1,
}
ALGORITHMS: Final = ("ECDSA", "ED25519", "RSA")

DEFAULT_CURVE: Final = "P224"
DEFAULT_RSA_BITS: Final = 2048


def generated(algorithm: str, curve: str, rsa_bits: int) -> PrivateKey:
    """A new private key."""
    if algorithm == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
    if algorithm == "ED25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(CURVES[curve]())


def parsed(pem: str) -> PrivateKey:
    """A private key from PEM; raises RefusedError, whose message does not repeat the text."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, PrivateKey):
        message = "the private key is not an unencrypted RSA, ECDSA or ED25519 key in PEM form"
        raise RefusedError(message)
    return key


def algorithm_of(key: PrivateKey) -> str:
    """ECDSA, ED25519 or RSA."""
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ED25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "ECDSA"


def signature_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """The hash that Go chooses for a signature by this key, as large as the curve asks for."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256:
        return hashes.SHA384() if key.key_size <= 384 else hashes.SHA512()
    return hashes.SHA256()


def public_der(key: PrivateKey) -> bytes:
    """The public key's SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_outputs(key: PrivateKey) -> dict[str, Any]:
    """Every output of a PrivateKey resource that is derived from the key."""
    public = key.public_key()
    # Ed25519 has no older form of its own; the others use the form that names the algorithm.
    own_form = serialization.PrivateFormat.TraditionalOpenSSL
    if isinstance(key, ed25519.Ed25519PrivateKey):
        own_form = serialization.PrivateFormat.PKCS8
    outputs: dict[str, Any] = {
        "privateKeyPem": _private(key, own_form),
        "privateKeyPemPkcs8": _private(key, serialization.PrivateFormat.PKCS8),
        "publicKeyPem": public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode(),
        "privateKeyOpenssh": "",
        "publicKeyOpenssh": "",
        "publicKeyFingerprintMd5": "",
        "publicKeyFingerprintSha256": "",
    }
    if not (isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size == 224):
        outputs |= _openssh(key)  # OpenSSH has no P-224
    return outputs


def _private(key: PrivateKey, form: serialization.PrivateFormat) -> str:
    encryption = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


def _openssh(key: PrivateKey) -> dict[str, str]:
    public = key.public_key()
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return {
        "privateKeyOpenssh": _private(key, serialization.PrivateFormat.OpenSSH),
        "publicKeyOpenssh": line.decode() + "\n",
        "publicKeyFingerprintMd5": _fingerprint_md5(line),
        "publicKeyFingerprintSha256": _fingerprint_sha256(line),
    }


def _fingerprint_md5(line: bytes) -> str:
    digits = hashlib.md5(_blob(line), usedforsecurity=False).hexdigest()
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


def _fingerprint_sha256(line: bytes) -> str:
    text = base64.b64encode(hashlib.sha256(_blob(line)).digest()).decode()
    return "SHA256:" + text.rstrip("=")


def _blob(line: bytes) -> bytes:
    return base64.b64decode(line.split()[1])
