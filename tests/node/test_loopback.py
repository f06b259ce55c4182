"""Networks of tests that run at the same time."""

from tests.node import loopback


def test_a_network_that_somebody_holds_is_nobody_elses(monkeypatch):
    """A socket tells; here it is this process's own."""
    monkeypatch.setattr(loopback.os, "getpid", lambda: 7)
    assert len({loopback.network() for _ in range(3)}) == 3
