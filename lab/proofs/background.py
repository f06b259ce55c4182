"""Background work: something that goes on alongside a proof."""

import threading
from abc import ABC, abstractmethod
from typing import Self


class Background(ABC):
    """Takes a step again and again in a thread of its own, while its context lasts."""

    pause: float
    """Seconds between two steps."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, after the step that is under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._step()
            self._stop.wait(self.pause)

    @abstractmethod
    def _step(self) -> None:
        """Once. Raises nothing: nobody would see it."""
