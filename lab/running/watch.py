"""`status --watch`: the machines again and again, and what happened in between."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lab.running.status_changes import Facts, changes, facts
from lab.running.view import Look, view

SECONDS = 3.0
"""Between two looks."""
KEPT = 8
"""Events that a terminal shows."""


def watch(
    look: Callable[[], Look], console: Console, pause: Callable[[float], None] = time.sleep
) -> None:
    """Show the machines until somebody interrupts (KeyboardInterrupt).

    On a terminal it refreshes in place; elsewhere a block is printed whenever something happened.
    Raises what `look` does.
    """
    events: deque[str] = deque(maxlen=KEPT)
    if not console.is_terminal:
        for number, (seen, happened) in enumerate(_looks(look, pause)):
            if happened or number == 0:
                console.print(block(seen, happened))
        return
    with Live(console=console, auto_refresh=False) as live:
        for seen, happened in _looks(look, pause):
            events.extend(happened)
            live.update(block(seen, events), refresh=True)


def block(look: Look, events: Iterable[str]) -> Group:
    """What is shown of one look. Pure."""
    lines = [Text(event) for event in events]
    return Group(f"\n{look.when:%H:%M:%S} UTC", view(look), *lines)


def _looks(
    look: Callable[[], Look], pause: Callable[[float], None]
) -> Iterator[tuple[Look, list[str]]]:
    """Each look, and what happened since the one before, with the time."""
    before: Facts | None = None
    while True:
        seen = look()
        now = facts(seen.snapshots, before)
        events = changes(before, now) if before else []
        yield seen, [f"{seen.when:%H:%M:%S} {event}" for event in events]
        before = now
        pause(SECONDS)
