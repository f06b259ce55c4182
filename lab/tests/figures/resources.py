"""How many resources a stack has, by the size of its etcd tier."""

import runpy

from config.quorum import ALLOWED_SIZES
from lab.tests.figures.tables import table
from tests.recording import REPOSITORY, run


def resources() -> str:
    """Resources of AWS, of the tls provider, and components, with every other setting left out."""
    rows = []
    for size in sorted(ALLOWED_SIZES):
        deployed = run(_program, config={"etcd": {"size": size}}, stack="figures").resources
        counts = [
            sum(one.type.startswith(prefix) for one in deployed)
            for prefix in ("aws:", "tls:", "hak8s:")
        ]
        rows.append((size, *counts, sum(counts)))
    head = ("`etcd.size`", "AWS", "tls", "components", "all")
    return table("Resources of a stack", head, rows)


def _program() -> None:
    runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__")
