"""A lab whose machines run, for people and proofs: found, named, entered, harmed, looked at."""

from lab.running.lab import RunningLab, find

__all__ = ["RunningLab", "find"]
