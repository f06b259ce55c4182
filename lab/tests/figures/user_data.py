"""How large user data is, of what EC2 accepts."""

import gzip
from base64 import b64decode

from components.userdata import encode
from components.userdata.encoding import EC2_LIMIT
from lab.tests.figures.tables import table
from tests.golden.nodes import both, settings
from tests.unit.test_userdata_nodes import largest_nodes


def user_data() -> str:
    """Bytes as EC2 counts them (base64 decoded), and as cloud-init reads them (unpacked)."""
    rows = []
    for title, nodes in (("defaults", both(settings())), ("largest settings", largest_nodes())):
        for tier, node in zip(("etcd", "api"), nodes, strict=True):
            data = b64decode(encode(node))
            rows.append((title, tier, f"{len(data):,}", f"{len(gzip.decompress(data)):,}"))
    head = ("settings", "node", f"bytes, of {EC2_LIMIT:,}", "unpacked")
    return table("User data", head, rows)
