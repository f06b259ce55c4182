"""How large user data is, of what EC2 accepts."""

import gzip
from base64 import b64decode

from components.userdata import encode
from components.userdata.encoding import EC2_LIMIT
from lab.tests.figures.tables import table
from tests.golden.nodes import both, settings
from tests.unit.test_userdata_nodes import largest_nodes


def user_data() -> str:
    """Bytes as EC2 counts them (base64 decoded), and as cloud-init reads them (unpacked).

    Both are rounded up to hundreds: the former changes by a few with each version of the node
    agent, whose checksum is in it.
    """
    rows = []
    for title, nodes in (("defaults", both(settings())), ("largest settings", largest_nodes())):
        for tier, node in zip(("etcd", "API"), nodes, strict=True):
            data = b64decode(encode(node))
            rows.append((title, tier, _up(len(data)), _up(len(gzip.decompress(data)))))
    head = ("settings", "node", f"bytes at most, of {EC2_LIMIT:,}", "unpacked, at most")
    return table("User data", head, rows)


def _up(size: int) -> str:
    return f"{-(-size // 100) * 100:,}"
