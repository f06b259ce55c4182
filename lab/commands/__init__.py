"""The commands of `python -m lab`.

A command's module is imported when it is called, so that help and completion come at once.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.commands.command import Command


@dataclass(frozen=True)
class Entry:
    """A command as the command line lists it."""

    module: str
    """In this package."""
    name: str
    """Of its `Command` there."""
    description: str
    """One line; a command without it is not listed."""
    parser: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of its ArgumentParser."""

    def load(self) -> Command:
        """Import what it does."""
        command: Command = getattr(
            importlib.import_module(f"lab.commands.{self.module}"), self.name
        )
        return command


COMMANDS: dict[str, Entry] = {
    "up": Entry("up", "UP", "bring the stack up, or continue where an earlier run ended"),
    "status": Entry("lab_status", "STATUS", "show what runs, and where"),
    "kubectl": Entry(
        "kubectl_command",
        "KUBECTL",
        "run kubectl through the load balancer, with the stack's own kubeconfig",
        # Everything after the word belongs to kubectl, options included.
        {"prefix_chars": "\0", "add_help": False},
    ),
    "shell": Entry("access_commands", "SHELL", "open a shell in a machine, or run a command there"),
    "logs": Entry(
        "access_commands",
        "LOGS",
        "show the journal of a machine, or of one of its units, also while it is off",
    ),
    "kill": Entry("fault_commands", "KILL", "kill a daemon of a machine (SIGKILL)"),
    "power-cut": Entry(
        "fault_commands",
        "POWER_CUT",
        "cut the power of a machine, without a shutdown; `power-restore` or `heal` gives it back",
    ),
    "power-restore": Entry("fault_commands", "POWER_RESTORE", "give a machine its power back"),
    "isolate": Entry("fault_commands", "ISOLATE", "drop every packet of a machine; `heal` ends it"),
    "partition": Entry(
        "fault_commands",
        "PARTITION",
        "cut off a zone, or all machines from `aws` or `downloads`; `heal` ends it",
    ),
    "heal": Entry("fault_commands", "HEAL", "end every partition, isolation and power cut"),
    "prove": Entry("prove", "PROVE", "run the proofs on the machines of this lab"),
    "proof": Entry("proof", "PROOF", "inflict one fault under load, and draw what came of it"),
    "build": Entry(
        "build",
        "BUILD",
        "build what is kept in the cache: CLI, etcd, Kubernetes, what workers run, machine image",
    ),
    "down": Entry("down", "DOWN", "stop everything and remove it"),
    "env": Entry("shell_integration", "ENV", "print the lines that bring a shell into the lab"),
    "complete": Entry("completion", "COMPLETE", ""),
}
