"""User data of the nodes: values in, text out. Nothing here is secret, and nothing knows Pulumi."""

from components.userdata.api_server import api_server
from components.userdata.cloud_config import CloudConfig, File
from components.userdata.encoding import UserDataTooLargeError, encode
from components.userdata.etcd_member import etcd_member
from components.userdata.worker import worker

__all__ = [
    "CloudConfig",
    "File",
    "UserDataTooLargeError",
    "api_server",
    "encode",
    "etcd_member",
    "worker",
]
