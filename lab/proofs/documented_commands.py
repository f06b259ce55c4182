"""Commands of the tutorial, of the page on applications and of the runbooks, as they are written.

A `console` block says in a comment in front of it whether something runs it:

    <!-- runs: up -->             a test of the engine, on a stack in the emulated AWS
    <!-- runs: up, grows -->      the same, at the moment of this name
    <!-- runs: lab -->            a proof, with machines
    <!-- runs: on api-0 -->       a proof, on this machine
    <!-- not run: why -->         nothing does; its commands are parsed, as those of every block
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.workspace import ROOT

PAGES = (
    ROOT / "docs/applications.md",
    ROOT / "docs/tutorial.md",
    *sorted((ROOT / "docs/runbooks").glob("*.md")),
)

_FENCE = re.compile(r" *```(?P<language>\S*)")
_COMMENT = re.compile(
    r" *<!-- (?:not run: .+|runs: (?P<runs>up|lab|on)"
    r"(?: (?P<machine>[\w-]+))?(?:, (?P<moment>\w+))?) -->"
)
_PROMPT = re.compile(r"[$#] ")
_PLACEHOLDER = re.compile(r"<[A-Za-z][^<>]*>")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")


@dataclass(frozen=True)
class Block:
    """A block of commands."""

    page: str
    """From the top of the repository."""
    line: int
    classified: bool
    """Whether it says who runs it, or why nobody does."""
    runs: str
    """up, lab, on (a machine) or nothing."""
    machine: str
    moment: str
    """Of the scenario that runs it, where its page has several."""
    commands: tuple[str, ...]
    """As a shell takes them; what they print is left out."""

    def __str__(self) -> str:
        """Where it is."""
        return f"{self.page}:{self.line}"

    def typed(self, env: Path) -> tuple[str, ...]:
        """Its commands for a lab in another place, whose env file is this one."""
        return tuple(one.replace(".lab/env", shlex.quote(str(env))) for one in self.commands)


def blocks() -> list[Block]:
    """Every console block of PAGES, in order."""
    return [block for page in PAGES for block in _of(page)]


def those_that_run(where: str, page: str = "", moment: str = "") -> list[Block]:
    """Blocks that run there, at this moment."""
    return [
        block
        for block in blocks()
        if (block.runs, block.moment) == (where, moment) and block.page.startswith(page)
    ]


def _of(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    begins: int | None = None
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if not fence:
            continue
        if begins is None:
            begins = number
            continue
        opening = _FENCE.match(lines[begins])
        assert opening
        if opening["language"] == "console":
            said = _COMMENT.fullmatch(lines[begins - 1])
            yield Block(
                page=page.relative_to(ROOT).as_posix(),
                line=begins + 1,
                classified=said is not None,
                runs=(said and said["runs"]) or "",
                machine=(said and said["machine"]) or "",
                moment=(said and said["moment"]) or "",
                commands=tuple(_commands(lines[begins + 1 : number])),
            )
        begins = None


def _commands(lines: list[str]) -> Iterator[str]:
    """What follows a prompt, with the lines that a backslash joins to it."""
    command = ""
    for line in (line.strip() for line in lines):
        if command:
            command += f"\n{line}"
        elif _PROMPT.match(line):
            command = line[2:]
        if command and not command.endswith("\\"):
            yield command
            command = ""
    assert not command, f"a backslash joins nothing to {command!r}"


def words(command: str) -> list[list[str]]:
    """Words of every program that a command runs, in pipes and substitutions too; a placeholder is
    PLACEHOLDER."""
    text = _PLACEHOLDER.sub("PLACEHOLDER", command.replace("\\\n", " "))
    inner = [words(found) for found in _SUBSTITUTION.findall(text)]
    lexer = shlex.shlex(_SUBSTITUTION.sub("SUBSTITUTED", text), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    programs: list[list[str]] = [[]]
    redirected = False
    for word in lexer:
        if re.fullmatch(r"[<>]+", word):
            redirected = True
        elif re.fullmatch(r"[|&;()]+", word):
            programs.append([])
        elif redirected:
            redirected = False
        else:
            programs[-1].append(word)
    return [program for program in programs if program] + [one for many in inner for one in many]
