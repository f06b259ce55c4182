"""Encoding of user data as EC2 takes it, and its size limit."""

import base64
from functools import lru_cache

import deflate

from components.userdata.cloud_config import CloudConfig

EC2_LIMIT = 16_384
"""Bytes of user data before base64 (EC2 user guide, "instance user data")."""

_SMALLEST = 12
"""libdeflate's highest level."""


class UserDataTooLargeError(Exception):
    """The user data of a node is larger than EC2 accepts."""

    def __init__(self, node: str, size: int) -> None:
        super().__init__(
            f"user data of {node} is {size:,} bytes compressed, and EC2 accepts {EC2_LIMIT:,}: "
            "shorten artifacts.mirror, or report this as a bug of the program"
        )
        self.node = node
        self.size = size


@lru_cache(maxsize=64)
def compress(text: str) -> bytes:
    """Text as gzip, which cloud-init reads as it stands.

    By libdeflate, which the pinned package `deflate` carries: a version of it writes the same bytes
    on every machine. Python's gzip writes what the machine's own zlib makes of a text, and another
    header byte in 3.11 than in 3.13; user data that differs replaces every node.
    """
    return bytes(deflate.gzip_compress(text.encode(), _SMALLEST))


def encode(config: CloudConfig) -> str:
    """User data for `user_data_base64`. Raises UserDataTooLargeError above EC2's limit."""
    compressed = compress(config.render())
    if len(compressed) > EC2_LIMIT:
        raise UserDataTooLargeError(config.hostname or "a worker", len(compressed))
    return base64.b64encode(compressed).decode()
