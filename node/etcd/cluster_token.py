"""Cluster token of the data volume: which founding of the cluster its data belongs to.

A restore founds the cluster again, under another token in the marker. A file on the volume,
alongside the data, holds the token that the data was founded or joined under.
"""

from node import files
from node.membership import Formation
from node.settings import TOKEN, at


def token() -> str | None:
    """The token that this volume's data belongs to; None when it does not say."""
    text = files.read(at(TOKEN))
    return text.strip() if text else None


def record(marker: Formation) -> None:
    """Say that the data is of the marker's token: before etcd first starts on it, and never
    while there is data of another one."""
    files.write(at(TOKEN), f"{marker.token}\n")
