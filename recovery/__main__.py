"""`python -m recovery`, in the project's directory: record what a killed update left in AWS."""

import argparse
import sys
from collections.abc import Sequence

from recovery import deployment
from recovery.deployment import Fate
from recovery.engine import Engine
from recovery.lookups import ANEW
from recovery.recovery_error import RecoveryError
from recovery.search import Accounts, Found, search

FAILED = 1
INTERRUPTED = 130
PATIENCE = 60.0
"""Seconds for which what is not there is looked for again."""


def main(argv: Sequence[str] | None = None) -> int:
    """Recover one stack; 0 is success, 1 a failure in one sentence, 130 an interruption."""
    arguments = _parser().parse_args(argv)
    try:
        return _recover(arguments)
    except RecoveryError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Interrupted; run it again, then `pulumi refresh`.", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recovery", description=__doc__)
    parser.add_argument("--stack", help="the stack; default: the selected one")
    parser.add_argument("--yes", action="store_true", help="record without asking")
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help="how long to look again for what is not there (default: 60)",
    )
    parser.add_argument(
        "--found", action="append", default=[], metavar="URN=ID", help="you looked: it exists"
    )
    parser.add_argument(
        "--absent", action="append", default=[], metavar="URN", help="you looked: it does not exist"
    )
    return parser


def _recover(arguments: argparse.Namespace) -> int:
    engine = Engine(arguments.stack)
    export = engine.export()
    pending, others = deployment.creations(export), deployment.interrupted(export)
    if not pending and not others:
        print("Nothing was under way: `pulumi up` goes on from here.")
        return 0
    if others:
        print(f"{others} updates or deletions were under way: a refresh shows what became of them.")
    if pending:
        print(f"{len(pending)} creations were under way:", flush=True)
    account = Accounts(export)
    told = _told(arguments, {one.urn for one in pending})
    fates = {}
    for one in search(export, account.connect, told, arguments.patience):
        anew = one.creation.type in ANEW
        fate = deployment.fate(export, one.creation.urn, one.ids, anew=anew)
        fates[one.creation.urn] = fate
        print(f"  {one.creation}: {_sentence(one, fate)}")
    print(f"Looked in {'; '.join(sorted(account.seen)) or 'the state only'}.")
    if not arguments.yes and not _agreed("Record this and refresh the stack? [y/N] "):
        print("Nothing was changed.")
        return FAILED
    engine.replace(deployment.recorded(export, fates))
    engine.refresh()
    print("Recorded. `pulumi up` goes on from here.")
    return 0


def _told(arguments: argparse.Namespace, pending: set[str]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {urn: [] for urn in arguments.absent}
    for pair in arguments.found:
        # An id may hold `=`, and a URN does not.
        urn, _, identifier = pair.partition("=")
        if not identifier:
            raise RecoveryError(f"--found takes URN=ID, not {pair!r}.")
        told.setdefault(urn, []).append(identifier)
    for urn in told.keys() - pending:
        raise RecoveryError(f"{urn} was not being created; see `pulumi stack export`.")
    return told


def _sentence(one: Found, fate: Fate) -> str:
    if one.repeatable:
        return "will be created again, which does no harm"
    words = [f"{fate.kept} exists, and is recorded"] if fate.kept else []
    words += [f"{identifier} is left over, and `pulumi up` deletes it" for identifier in fate.spare]
    return "; ".join(words) or "does not exist"


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main())
