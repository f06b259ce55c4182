"""Steps of a run, each taken whatever comes of the others."""

from collections.abc import Callable, Iterable

from node.errors import NodeError


def taken(steps: Iterable[Callable[[], list[str]]]) -> list[str]:
    """What each step did, in their order.

    NodeError in the end when one failed, by a NodeError or OSError; it says what the others did,
    too.
    """
    said: list[str] = []
    failed = False
    for step in steps:
        try:
            said += step()
        except (NodeError, OSError) as error:
            said.append(str(error))
            failed = True
    if failed:
        raise NodeError("; ".join(said))
    return said
