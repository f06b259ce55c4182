"""Journal of a machine, whether it runs or not, and its console."""

from pathlib import Path

from rich.text import Text

from lab.lab_errors import LabError
from lab.machines.nspawn_machine import Machine
from lab.running import inside


def command(machine: Machine, unit: str | None, lines: int, *, follow: bool) -> list[str]:
    """The command on this computer that shows it. Raises LabError when there is nothing."""
    options = [f"--lines={lines}", "--no-pager"]
    if unit:
        options.append(f"--unit={unit}")
    if follow:
        options.append("--follow")
    init = machine.init()
    if init is not None:
        return inside.command(init, ["journalctl", *options])
    journal = directory(machine)
    if journal is not None:
        return ["journalctl", f"--directory={journal}", *options]
    console = machine.layout.console(machine.instance)
    if console.exists() and unit is None:
        return ["tail", f"--lines={lines}", *(["--follow"] if follow else []), str(console)]
    raise LabError(
        "The machine is off and left no journal: without a unit its console is shown, "
        "as far as it wrote one."
    )


def directory(machine: Machine) -> Path | None:
    """The journal on the disk of a machine that is off."""
    for root in (machine.root, machine.directory / "upper"):
        journal = root / "var/log/journal"
        if journal.is_dir() and any(journal.iterdir()):
            return journal
    return None


def plain_text(console: str) -> str:
    """A console's text without colours; rich takes a return for the end of what stood before it."""
    return Text.from_ansi(console.replace("\r", "")).plain
