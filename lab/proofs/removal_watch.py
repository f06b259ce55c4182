"""Watch over a tier that shrinks: no machine goes whose member still counts."""

from lab.lab_errors import LabError
from lab.proofs.background import Background
from lab.proofs.etcdctl import etcdctl
from lab.proofs.lab_session import LabSession
from lab.running.node_names import Node

GOING = {"stopping", "stopped", "shutting-down", "terminated"}


class RemovalWatch(Background):
    """Looks all the time while its context lasts."""

    pause = 1.0

    def __init__(self, session: LabSession, stays: Node) -> None:
        super().__init__()
        self._subject, self._stays = session, stays
        self.observations = 0
        """How often the membership was seen."""
        self.early: set[str] = set()
        """Members that were in the cluster after their machine had begun to go."""

    def _step(self) -> None:
        # Machines first: one that goes now and is a member afterwards went too early.
        try:
            nodes = self._subject.lab.nodes()
            going = {name for name, node in nodes.items() if node.instance.state in GOING}
            members = etcdctl(self._subject, self._stays, "member", "list")["members"]
        except LabError:
            return
        self.observations += 1
        self.early |= going & {str(member.get("name")) for member in members}
