"""`python -m lab.tests.figures`: the figures that the documentation states, as markdown.

Without names: resources, user data and previews. Previews bring a stack up in an emulator of its
own, which takes minutes. By name alone: `resizing`, `leases` and `proxy`, which measure real
daemons, for about ten minutes each; `replication`, for three.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lab.engine.fetching import OFFLINE
from lab.tests.figures.backend_changes import changes
from lab.tests.figures.leases import leases
from lab.tests.figures.preview import previews
from lab.tests.figures.replication import replication
from lab.tests.figures.resizing_cost import resizing
from lab.tests.figures.resources import resources
from lab.tests.figures.silence import silence
from lab.tests.figures.user_data import user_data


def _preview(repeat: int) -> str:
    with tempfile.TemporaryDirectory(prefix="figures-") as directory:
        return previews(Path(directory) / "bench", repeat)


FIGURES: dict[str, tuple[Callable[[int], str], ...]] = {
    "resources": (lambda _repeat: resources(),),
    "user-data": (lambda _repeat: user_data(),),
    "preview": (_preview,),
    "resizing": (resizing,),
    "leases": (leases,),
    "proxy": (silence, changes),
    "replication": (replication,),
}
DEFAULT = ("resources", "user-data", "preview")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.tests.figures", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--repeat", type=int, default=3, help="times that each thing is measured")
    arguments = parser.parse_args()
    names = arguments.names or DEFAULT
    if unknown := [name for name in names if name not in FIGURES]:
        parser.error(f"no figure is called {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    os.environ[OFFLINE] = "1"
    tables = [figure(arguments.repeat) for name in names for figure in FIGURES[name]]
    sys.stdout.write("\n".join(tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
