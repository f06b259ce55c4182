"""State of the etcd tier that the rules decide on, read from reports and marker."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from components.gates.aws_reader import Parameter
from components.gates.freshness import Freshness
from components.gates.member_rules import Tier
from components.gates.reports import (
    DamagedReportError,
    EtcdReport,
    NoReport,
    read_marker,
    read_report,
    was_member,
)
from components.naming import ParameterPaths
from config.quorum import ALLOWED_SIZES
from node import owned

EVERY_NAME = tuple(f"etcd-{number}" for number in range(max(ALLOWED_SIZES)))
"""Every member that a cluster can have had, whatever size it is or was."""


@dataclass
class TierWatch:
    """What one gate has seen of the tier since it began to look. No AWS in here."""

    paths: ParameterPaths
    desired: frozenset[str]
    _freshness: Freshness = field(default_factory=Freshness)
    _last: dict[str, int] = field(default_factory=dict)
    """The version of each node's last word."""
    _numbered: set[str] = field(default_factory=set)
    """Nodes whose reports are known to be numbered."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters to read: few enough for one request, which shows them at one moment."""
        return (self.paths.formation, *(self.paths.status(name) for name in EVERY_NAME))

    def look(self, found: Mapping[str, Parameter], now: float) -> Tier:
        """The tier as the parameters that were found `now` (monotonic seconds) have it."""
        reports = {
            name: found[path] for name in EVERY_NAME if (path := self.paths.status(name)) in found
        }
        self._freshness.look(
            {name: self._said(name, report) for name, report in reports.items()}, now
        )
        formation = found.get(self.paths.formation)
        marker = read_marker(
            formation.value if formation else None, formation.version if formation else 0
        )
        # Against the reports of members a marker that says "never" is an old or a lost one.
        denied = any(was_member(report.value) for report in reports.values())
        names = reports.keys() | self.desired
        return Tier(
            desired=self.desired,
            formed=None if denied and marker.formed is False else marker.formed,
            heard={name: self._heard(name, reports.get(name), now) for name in names},
            restoring=marker.restoring,
        )

    def forget(self) -> None:
        """Begin anew: what was reported until now counts no more."""
        self._freshness = Freshness()

    def _said(self, name: str, report: Parameter) -> int:
        """The version of a node's last word: an old one that was written back is none.

        A report without a number is of a node from before reports had one.
        """
        seen = _version(report)
        if seen.stands or (seen.says is None and name not in self._numbered):
            self._last[name] = report.version
        if seen.stands:
            self._numbered.add(name)
        return self._last.setdefault(name, report.version)

    def _heard(self, name: str, report: Parameter | None, now: float) -> EtcdReport | NoReport:
        problem = self._freshness.problem(name, now)
        if report is None or problem is not None:
            return NoReport(problem or "has no report in Parameter Store")
        if self._last.get(name) != report.version:
            return NoReport("has an old report in the place of its last one")
        try:
            return read_report(report.value)
        except DamagedReportError as error:
            return NoReport(str(error))


def _version(report: Parameter) -> owned.Version:
    try:
        document = json.loads(report.value)
    except (ValueError, RecursionError):
        document = None
    return owned.Version(report.version, document)
