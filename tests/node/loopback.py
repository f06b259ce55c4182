"""Addresses for what tests start: everything in 127.0.0.0/8 is this machine."""

import itertools
import os

_counter = itertools.count()


def network() -> str:
    """The first three bytes of a network that no other test of this machine uses now."""
    # 64 to 191, by process; another test of the same process gets another last byte.
    return f"127.{64 + os.getpid() // 250 % 128}.{1 + (os.getpid() + next(_counter)) % 250}"
