"""The form in which EC2 takes user data, and its limit."""

import base64
import gzip
import io

from components.userdata.cloud_config import CloudConfig

EC2_LIMIT = 16_384
"""Bytes of user data before base64 (EC2 user guide, "instance user data")."""


class UserDataTooLargeError(Exception):
    """The user data of a node is larger than EC2 accepts."""

    def __init__(self, node: str, size: int) -> None:
        super().__init__(
            f"user data of {node} is {size:,} bytes compressed, and EC2 accepts {EC2_LIMIT:,}: "
            "shorten artifacts.mirror, or report this as a bug of the program"
        )
        self.node = node
        self.size = size


def compress(config: CloudConfig) -> bytes:
    """The document as gzip, which cloud-init reads as it stands.

    `gzip.compress` writes another header byte on Python 3.11 than on 3.13, so a Python upgrade
    would replace every node; GzipFile without a name and a time writes the same on all.
    """
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(config.render().encode())
    return buffer.getvalue()


def encode(config: CloudConfig) -> str:
    """User data for `user_data_base64`. Raises UserDataTooLargeError above EC2's limit."""
    compressed = compress(config)
    if len(compressed) > EC2_LIMIT:
        raise UserDataTooLargeError(config.hostname, len(compressed))
    return base64.b64encode(compressed).decode()
