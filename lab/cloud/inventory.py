"""Inventory of the account: what there is of every kind (`lab.cloud.resource_kinds`)."""

from collections.abc import Mapping

Inventory = Mapping[str, list[str]]
"""Names or ids by kind; a kind of which there is nothing is missing."""


def summary(inventory: Inventory) -> str:
    """One line for people: `3 instances, 1 VPC`."""
    counted = [f"{len(names)} {_plural(label, len(names))}" for label, names in inventory.items()]
    return ", ".join(counted) or "nothing"


def _plural(label: str, count: int) -> str:
    if count == 1:
        return label
    if label == "policy":
        return "policies"
    return f"{label}es" if label.endswith("s") else f"{label}s"
