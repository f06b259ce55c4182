"""`python3 -m node <command>`, and `python3 <this directory> <command>` on the machines."""

import sys
from pathlib import Path

if not __package__:
    # Run as a directory: its modules must be found as `node.files`, and as nothing else.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from node.cli import main

sys.exit(main(sys.argv[1:]))
