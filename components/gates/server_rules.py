"""Rules for an API server's target and instance: whether they may go. Pure."""

from collections.abc import Mapping

from components.gates.verdict import Pass, Verdict, Wait


def target_may_go(states: Mapping[str, str], address: str, *, size: int) -> Verdict:
    """Whether the load balancer may lose a target: enough others are healthy.

    `states` is what the load balancer says of each address; `size` the number of API servers that
    the stack wants, of which all but one are enough.
    """
    needed = max(1, size - 1)
    others = {other: state for other, state in states.items() if other != address}
    healthy = sum(state == "healthy" for state in others.values())
    if healthy >= needed:
        return Pass(f"{healthy} others are healthy")
    unwell = [
        f"{other} is {state}" for other, state in sorted(others.items()) if state != "healthy"
    ]
    found = f"{healthy} of the other API servers are healthy, {needed} must be"
    return Wait((f"{found} ({', '.join(unwell)})" if unwell else found,))


def server_may_go(states: Mapping[str, str], address: str, *, size: int) -> Verdict:
    """Whether an instance may go: the same, and the load balancer sends it nothing any more."""
    if address in states:
        return Wait((f"its target {address} is not drained yet ({states[address]})",))
    return target_may_go(states, address, size=size)
