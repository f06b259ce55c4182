"""Progress of an update while it runs: a bar on a terminal, a line per resource elsewhere."""

from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lab.stack.events import Done, Tally


class Display(Protocol):
    """Shows the state of an update."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(self, *_: object) -> None:
        """End."""
        ...

    def show(self, tally: Tally, done: Done | None) -> None:
        """Show what changed."""
        ...


class Lines:
    """One line per changed resource, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._previewed = False

    def __enter__(self) -> Self:
        """Begin to show."""
        self._console.print("previewing")
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def show(self, tally: Tally, done: Done | None) -> None:
        """Print the end of the preview and of every resource."""
        if tally.previewed and not self._previewed:
            self._previewed = True
            self._console.print(f"{tally.total} resources to change")
        if done:
            line = f"[{tally.done}/{tally.total}] {done}"
            self._console.print(line, markup=False, soft_wrap=True)


class Bar:
    """A bar with what runs now, for terminals."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("previewing", total=None)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the bar."""
        self._progress.stop()

    def show(self, tally: Tally, done: Done | None) -> None:  # noqa: ARG002 - of the protocol
        """Move the bar; name the step that has run longest."""
        oldest = min(tally.running.values(), key=lambda one: one.began, default=None)
        more = f" and {len(tally.running) - 1} more" if len(tally.running) > 1 else ""
        running = f"{oldest.name} {oldest.resource}{more}" if oldest else ""
        self._progress.update(
            self._task,
            total=tally.total,
            completed=tally.done,
            description=running if tally.previewed else "previewing",
        )


def display(console: Console) -> Display:
    """The display that fits where the output goes."""
    return Bar(console) if console.is_terminal else Lines(console)
