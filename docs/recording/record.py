"""Record `session.sh` as an animated SVG: `python docs/recording/record.py session.svg`.

Needs root, the programs of `make lab`, asciinema 2 and svg-term-cli on PATH. The waits of the run
are shortened, so that minutes are watched in one. The frames are what the terminal showed, but for
the directory of the project, which has another name for everybody.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
Event = tuple[float, str]
"""Seconds since the start, and what was written to the terminal."""

COLUMNS, ROWS = 80, 30
FRAME = 0.5
"""Seconds of the run between two frames: a progress display writes ten times as often."""
LONGEST = 1.5
"""Seconds of the picture that a frame stands at most; half of its own time otherwise."""
WAITING = 0.04
"""Seconds of the picture that each frame of a progress display takes."""


def frames(events: Iterable[Event]) -> Iterator[Event]:
    """What was written within a FRAME, as one event at its end."""
    began, text = 0.0, ""
    for at, written in events:
        if text and at - began > FRAME:
            yield began, text
            began, text = at, ""
        text += written
    yield began, text


def shortened(events: Iterable[Event]) -> Iterator[Event]:
    """The same frames, in the time in which somebody can read them."""
    shown, before = 0.0, 0.0
    for at, text in events:
        pause = at - before
        shown += WAITING if pause < 2 * FRAME else min(pause / 2, LONGEST)
        before = at
        yield shown, text


def main() -> None:
    """Record, shorten, render."""
    picture = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory:
        cast = Path(directory, "session.cast")
        size = ["--cols", str(COLUMNS), "--rows", str(ROWS)]
        command = f"bash {Path(__file__).with_name('session.sh')}"
        subprocess.run(
            ["asciinema", "rec", "--quiet", *size, "--command", command, str(cast)], check=True
        )
        head, *lines = cast.read_text(encoding="utf-8").splitlines()
        events = [(at, text) for at, kind, text in map(json.loads, lines) if kind == "o"]
        short = [
            json.dumps([at, "o", text.replace(str(PROJECT), "~/ha-kubernetes")])
            for at, text in shortened(frames(events))
        ]
        cast.write_text("\n".join([head, *short, ""]), encoding="utf-8")
        subprocess.run(
            ["svg-term", "--in", str(cast), "--out", str(picture), "--window"], check=True
        )


if __name__ == "__main__":
    main()
