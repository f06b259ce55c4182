"""Addresses for what tests start: everything in 127.0.0.0/8 is this machine."""

import atexit
import itertools
import os
import socket


def network() -> str:
    """The first three bytes of a network that no other test of this machine uses.

    A socket on its first address keeps other processes from it, until this one ends.
    """
    for number in itertools.count(os.getpid()):
        prefix = f"127.{64 + number // 250 % 128}.{1 + number % 250}"
        held = socket.socket(type=socket.SOCK_DGRAM)
        try:
            held.bind((f"{prefix}.1", 2379))
        except OSError:
            held.close()
        else:
            atexit.register(held.close)
            return prefix
    raise AssertionError
