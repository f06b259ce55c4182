"""The commands of `python -m lab`."""

from lab.commands import (
    access_commands,
    build,
    down,
    fault_commands,
    lab_status,
    prove,
    shell_integration,
    up,
)
from lab.commands.command import Command

COMMANDS: dict[str, Command] = {
    "up": up.UP,
    "status": lab_status.STATUS,
    "kubectl": access_commands.KUBECTL,
    "shell": access_commands.SHELL,
    "logs": access_commands.LOGS,
    "kill": fault_commands.KILL,
    "power-cut": fault_commands.POWER_CUT,
    "power-restore": fault_commands.POWER_RESTORE,
    "isolate": fault_commands.ISOLATE,
    "partition": fault_commands.PARTITION,
    "heal": fault_commands.HEAL,
    "prove": prove.PROVE,
    "build": build.BUILD,
    "down": down.DOWN,
    "env": shell_integration.ENV,
    "complete": shell_integration.COMPLETE,
}
