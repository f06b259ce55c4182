"""How large user data is, of what EC2 accepts."""

import gzip
from base64 import b64decode

from components.userdata import encode
from components.userdata.encoding import EC2_LIMIT
from lab.tests.figures.tables import table
from tests.golden.nodes import POOL, both, settings, tier, worker_node
from tests.unit.test_userdata_nodes import largest_nodes

NAMES = {"etcd": "etcd", "api": "API", "worker": "worker"}
"""What the tiers are called."""


def user_data() -> str:
    """Bytes as EC2 counts them (base64 decoded), and as cloud-init reads them (unpacked).

    Both are rounded up to hundreds: the former changes by a few with each version of the node
    agent, whose checksum is in it.
    """
    default = (*both(settings()), worker_node(settings(workers=POOL)))
    rows = []
    for title, nodes in (("defaults", default), ("largest settings", largest_nodes())):
        by_tier: dict[str, list[bytes]] = {}
        for node in nodes:
            by_tier.setdefault(NAMES[tier(node)], []).append(b64decode(encode(node)))
        for name, encoded in by_tier.items():
            unpacked = max(len(gzip.decompress(data)) for data in encoded)
            rows.append((title, name, _up(max(map(len, encoded))), _up(unpacked)))
    head = ("settings", "node", f"bytes at most, of {EC2_LIMIT:,}", "unpacked, at most")
    return table("User data", head, rows)


def _up(size: int) -> str:
    return f"{-(-size // 100) * 100:,}"
