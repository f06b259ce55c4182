"""Watches, while a tier shrinks, that no machine goes whose member still counts."""

import threading
from types import TracebackType
from typing import Self

from lab.errors import LabError
from lab.proofs.etcd import etcdctl
from lab.proofs.subject import Subject
from lab.running.naming import Node

PAUSE = 1.0
GOING = {"stopping", "stopped", "shutting-down", "terminated"}


class Departures:
    """Looks all the time while its context lasts."""

    def __init__(self, subject: Subject, stays: Node) -> None:
        self._subject, self._stays = subject, stays
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="departures", daemon=True)
        self.looks = 0
        """How often the membership was seen."""
        self.early: set[str] = set()
        """Members that were in the cluster after their machine had begun to go."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            # Machines first: one that goes now and is a member afterwards went too early.
            try:
                nodes = self._subject.lab.nodes()
                going = {n for n, node in nodes.items() if node.instance.state in GOING}
                members = etcdctl(self._subject, self._stays, "member", "list")["members"]
            except LabError:
                self._stop.wait(PAUSE)
                continue
            self.looks += 1
            self.early |= going & {str(member.get("name")) for member in members}
            self._stop.wait(PAUSE)
