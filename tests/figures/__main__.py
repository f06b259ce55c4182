"""`python -m tests.figures`: the figures that the documentation states, as markdown.

The first one brings a stack up in an emulator of its own, which takes minutes; `--without-preview`
leaves it out.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.figures.preview import previews
from tests.figures.resources import resources
from tests.figures.user_data import user_data


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description=__doc__)
    parser.add_argument("--without-preview", action="store_true")
    parser.add_argument("--repeat", type=int, default=3, help="times that each command is measured")
    arguments = parser.parse_args()
    figures = [resources(), user_data()]
    if not arguments.without_preview:
        with tempfile.TemporaryDirectory(prefix="figures-") as directory:
            figures.append(previews(Path(directory) / "bench", arguments.repeat))
    sys.stdout.write("\n".join(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
