"""Which incarnation of the cluster the data volume belongs to.

A restore founds the cluster anew, under another token in the marker. A file on the volume, beside
the data, holds the token that the data was founded or joined under.
"""

from node import files
from node.membership import Formation
from node.settings import TOKEN, at


def token() -> str | None:
    """The incarnation that this volume's data belongs to; None when it does not say."""
    text = files.read(at(TOKEN))
    return text.strip() if text else None


def record(marker: Formation) -> None:
    """Say that the data is of the marker's incarnation: before etcd first starts on it, and never
    while there is data of another one."""
    files.write(at(TOKEN), f"{marker.token}\n")
