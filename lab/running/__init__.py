"""A lab whose machines run, for people and proofs: found, named, entered, inspected, broken."""

from lab.running.lab import RunningLab, find

__all__ = ["RunningLab", "find"]
