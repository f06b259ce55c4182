"""Finds or provides a Pulumi engine: the CLI, the Python language host and the providers."""

from lab.engine.model import Engine, EngineError
from lab.engine.providing import provide

__all__ = ["Engine", "EngineError", "provide"]
