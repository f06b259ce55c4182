"""EncryptionConfiguration of kube-apiserver. Pure: key material in, document out."""

import base64
import hmac

import yaml

_PURPOSE = b"ha-kubernetes encryption at rest v1"


def encryption_configuration(seed_pem: str) -> str:
    """An EncryptionConfiguration whose key is derived from a private key in PEM.

    secretbox takes 32 bytes, which HMAC-SHA-256 gives; the private key has 256 bits of entropy
    and signs nothing, so no public value tells anything of the result. `identity` reads what was
    written before encryption was on.
    """
    key = hmac.digest(seed_pem.encode(), _PURPOSE, "sha256")
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {
                "resources": ["secrets"],
                "providers": [
                    {
                        "secretbox": {
                            "keys": [{"name": "key1", "secret": base64.b64encode(key).decode()}]
                        }
                    },
                    {"identity": {}},
                ],
            }
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)
