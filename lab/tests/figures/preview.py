"""How long a preview without a change takes, beside Terraform's plan of the same resources."""

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from lab.cloud import aws_environment
from lab.tests.engine.program.workbench import Workbench
from lab.tests.figures.tables import table
from lab.tests.figures.terraform import Terraform, UnavailableError, workspace

TITLE = "Preview without a change, stack `local`"


def previews(directory: Path, repeat: int) -> str:
    """Medians in seconds, the commands taking turns on one emulator."""
    bench = Workbench(directory)
    try:
        up = bench.lab_up()
        assert up.status == 0, up.text
        return _measured(bench, repeat)
    finally:
        bench.close()


def _measured(bench: Workbench, repeat: int) -> str:
    commands: dict[str, Callable[[], float]] = {"`pulumi preview`": lambda: _preview(bench)}
    counts = {"`pulumi preview`": f"{sum(r['custom'] for r in bench.state())}"}
    note = ""
    try:
        terraform = _terraform(bench)
    except UnavailableError as reason:
        note = f"\nNo comparison with Terraform: {reason}.\n"
    else:
        for name, options in (
            ("`terraform plan`", ()),
            ("`terraform plan -refresh=false`", ("-refresh=false",)),
        ):
            commands[name] = lambda options=options: terraform.plan(*options)
            counts[name] = str(terraform.resources)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            seconds[name].append(command())
    rows = [
        (name, counts[name], f"{statistics.median(took):.1f}", ", ".join(f"{s:.1f}" for s in took))
        for name, took in seconds.items()
    ]
    head = ("command", "resources", f"median of {repeat}, s", "each, s")
    return table(TITLE, head, rows) + note


def _preview(bench: Workbench) -> float:
    began = time.monotonic()
    done = bench.pulumi("preview", "--expect-no-changes")
    seconds = time.monotonic() - began
    assert done.status == 0, done.text
    return seconds


def _terraform(bench: Workbench) -> Terraform:
    exported = bench.pulumi("stack", "export", "--show-secrets")
    assert exported.status == 0, "the stack cannot be exported"
    resources = json.loads(exported.text)["deployment"]["resources"]
    environment = aws_environment.environment(os.environ, bench.server.endpoint)
    return workspace(bench.directory / "terraform", resources, environment)
