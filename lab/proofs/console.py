"""What a machine printed on its console."""

from rich.text import Text


def plain(console: str) -> str:
    """The text without colours; rich takes a return for the end of what stood before it."""
    return Text.from_ansi(console.replace("\r", "")).plain
