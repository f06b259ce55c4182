"""Everything that an etcd node's agent does outside itself, and its death after any of it."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node import files
from node.aws import ParameterStore
from node.etcd import local_member
from tests.node.etcd_nodes import EtcdMachine, EtcdNode


class Killed(BaseException):
    """The program is no more; nothing in it may catch this."""


def _seen(path: Path) -> bool:
    """Whether a path is there and means anything: a hidden file is one that was never finished."""
    return path.exists() and not path.name.startswith(".")


@dataclass
class Actions:
    """What nodes did, in order, as (node, action); each is killed once after each of `stops`."""

    patch: pytest.MonkeyPatch
    stops: set[str] = field(default_factory=set)
    after_death: Callable[[EtcdNode], None] = lambda _node: None
    """What else happens to a node whose program was killed."""
    done: list[tuple[str, str]] = field(default_factory=list)
    killed: list[tuple[str, str]] = field(default_factory=list)
    _node: str = ""
    """The node whose program runs now."""

    def __post_init__(self) -> None:
        named = lambda verb: lambda path, *_, **__: f"{verb} {Path(path).name}"  # noqa: E731
        self._wrap(Path, "unlink", lambda p, **_: _seen(p) and f"unlink {p.name}")
        self._wrap(Path, "rename", named("rename"))
        self._wrap(Path, "replace", lambda _, to: f"replace {to.name}")
        self._wrap(shutil, "rmtree", lambda p, **_: Path(p).exists() and f"rmtree {p.name}")
        self._wrap(files, "sync", named("sync"))
        self._wrap(files, "write", lambda p, text, *_: files.read(p) != text and f"write {p.name}")
        self._wrap(
            ParameterStore, "put", lambda _, __, said, *___: f"put {said.get('state', 'formed')}"
        )
        self._wrap(EtcdMachine, "start", lambda m, unit: not m.active(unit) and "start")
        for change in ("add_learner", "promote", "remove", "transfer"):
            self._wrap(local_member, change, lambda *_, change=change: change)
        reconcile = EtcdNode.reconcile

        def mortal(node: EtcdNode) -> str:
            self._node = node.name
            try:
                return reconcile(node)
            except Killed:
                self._node = ""
                self.after_death(node)
                return "killed"
            finally:
                self._node = ""

        self.patch.setattr(EtcdNode, "reconcile", mortal)

    def begin(self, *stops: str) -> None:
        """Forget what was done, and kill each node once after each of these from now on."""
        self.done.clear()
        self.killed.clear()
        self.stops = set(stops)

    def each(self, *stops: str) -> Iterator[None]:
        """A life without a death, and then as many as it takes to die after each of these.

        One life has many deaths, and some actions come only where another was not interrupted.
        """
        self.begin()
        yield
        left = set(stops)
        while left:
            self.begin(*left)
            yield
            died = {action for _, action in self.killed}
            assert died, f"none of {left} was done"
            left -= died

    def of(self, node: str) -> list[str]:
        """What a node did."""
        return [action for name, action in self.done if name == node]

    def _wrap(self, owner: Any, name: str, label: Callable[..., Any]) -> None:
        real = getattr(owner, name)

        def action(*arguments: Any, **options: Any) -> Any:
            what = self._watching() and label(*arguments, **options)
            result = real(*arguments, **options)
            if what:
                self._happened(what)
            return result

        self.patch.setattr(owner, name, action)

    def _watching(self) -> bool:
        # AWS and the client that writes are threads of this process.
        return bool(self._node) and threading.current_thread() is threading.main_thread()

    def _happened(self, what: str) -> None:
        here = (self._node, what)
        self.done.append(here)
        if what in self.stops and here not in self.killed:
            self.killed.append(here)
            raise Killed
