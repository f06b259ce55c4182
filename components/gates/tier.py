"""Reads the etcd tier's reports and marker into what the rules decide on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.gates.aws import Parameter
from components.gates.freshness import Freshness
from components.gates.members import Tier
from components.gates.reports import (
    DamagedReportError,
    EtcdReport,
    Silence,
    read_formed,
    read_report,
)
from components.naming import ParameterPaths
from config.quorum import ALLOWED_SIZES

EVERY_NAME = tuple(f"etcd-{number}" for number in range(max(ALLOWED_SIZES)))
"""Every member that a cluster can have had, whatever size it is or was."""


@dataclass
class TierWatch:
    """What one gate has seen of the tier since it began to look. No AWS in here."""

    paths: ParameterPaths
    desired: frozenset[str]
    _freshness: Freshness = field(default_factory=Freshness)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters to read: few enough for one request, which shows them at one moment."""
        return (self.paths.formation, *(self.paths.status(name) for name in EVERY_NAME))

    def look(self, found: Mapping[str, Parameter], now: float) -> Tier:
        """The tier as the parameters that were found `now` (monotonic seconds) have it."""
        reports = {
            name: found[path] for name in EVERY_NAME if (path := self.paths.status(name)) in found
        }
        self._freshness.look({name: report.version for name, report in reports.items()}, now)
        formation = found.get(self.paths.formation)
        names = reports.keys() | self.desired
        return Tier(
            desired=self.desired,
            formed=read_formed(formation.value if formation else None),
            heard={name: self._heard(name, reports.get(name), now) for name in names},
        )

    def forget(self) -> None:
        """Begin anew: what was reported until now counts no more."""
        self._freshness = Freshness()

    def _heard(self, name: str, report: Parameter | None, now: float) -> EtcdReport | Silence:
        problem = self._freshness.problem(name, now)
        if report is None or problem is not None:
            return Silence(problem or "has no report in Parameter Store")
        try:
            return read_report(report.value)
        except DamagedReportError as error:
            return Silence(str(error))
