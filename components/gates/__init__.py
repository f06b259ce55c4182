"""The gates of `pulumi up`: no instance, disk or target goes while the cluster cannot spare it."""

from components.gates.hooks import Gates, GatesArgs

__all__ = ["Gates", "GatesArgs"]
