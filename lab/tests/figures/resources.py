"""How many resources a stack has, by the size of its etcd tier."""

from collections.abc import Sequence
from functools import cache

from config.quorum import ALLOWED_SIZES
from lab.tests.figures.tables import table
from tests.recording import Deployment, run_program


def resources() -> str:
    """Resources of AWS, of the tls provider, and components, with every other setting left out."""
    head = ("`etcd.size`", "AWS", "tls", "components", "all")
    return table("Resources of a stack", head, _by_size())


def counts(stack: Deployment) -> Sequence[int]:
    """Resources of AWS, of the tls provider, components, and all of them."""
    kinds = [
        sum(one.type.startswith(prefix) for one in stack.resources)
        for prefix in ("aws:", "tls:", "hak8s:")
    ]
    return (*kinds, sum(kinds))


@cache
def _by_size() -> Sequence[Sequence[int]]:
    return [
        (size, *counts(run_program({"etcd": {"size": size}}, stack="figures")))
        for size in sorted(ALLOWED_SIZES)
    ]
