"""Workspace of a lab: the project that it runs, and its state directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.lab_errors import LabError

STACK = "local"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Workspace:
    """One lab. Everything that it makes is below `state`, except the salt in the stack's file."""

    project: Path
    """Directory with Pulumi.yaml."""
    state: Path
    """Directory that `down` removes."""

    def __post_init__(self) -> None:
        """Raises LabError where something else is in the place of the directory."""
        if self.state.exists() and not self.state.is_dir():
            raise LabError(f"{self.state} is no directory, and --state takes one.")

    @property
    def lock(self) -> Path:
        """Held by the command that changes the lab."""
        return self.state / "lock"

    @property
    def env(self) -> Path:
        """What a shell sources to work in the lab."""
        return self.state / "env"

    @property
    def completion(self) -> Path:
        """What bash sources to have the command `lab`, whose words it completes."""
        return self.state / "completion.bash"

    @property
    def timing(self) -> Path:
        """How long the parts of the last `up` took."""
        return self.state / "up.json"

    @property
    def salt(self) -> Path:
        """The salt that this lab's passphrase belongs to."""
        return self.state / "salt"

    @property
    def update(self) -> Path:
        """Which process runs the stack's update."""
        return self.state / "update.json"

    @property
    def update_log(self) -> Path:
        """What the last update printed."""
        return self.state / "update.log"

    @property
    def preview_events(self) -> Path:
        """The engine's event log of the last update's preview."""
        return self.state / "preview.events"

    @property
    def events(self) -> Path:
        """The engine's event log of the last update."""
        return self.state / "update.events"

    @property
    def project_name(self) -> str:
        """The name of the Pulumi project. Raises LabError without a Pulumi.yaml."""
        return str(self._settings()["name"])

    @property
    def stack_file(self) -> Path:
        """The configuration of the lab's stack. Raises LabError without a Pulumi.yaml."""
        directory = self._settings().get("stackConfigDir", ".")
        return self.project / str(directory) / f"Pulumi.{STACK}.yaml"

    def _settings(self) -> dict[str, Any]:
        path = self.project / "Pulumi.yaml"
        try:
            settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LabError(f"{path} is missing: run from a checkout of the project.") from None
        return dict(settings)

    def prepare(self) -> None:
        """Make the state directory, which only its owner may enter."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
