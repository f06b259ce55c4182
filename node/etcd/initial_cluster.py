"""Initial cluster, the settings of etcd's first start, for etcd.service (CLUSTER_ENV). Pure."""

from collections.abc import Sequence
from typing import Literal

from node.contract import ETCD_PEER_PORT
from node.etcd.members import Entry
from node.membership import Formation


def forming(marker: Formation) -> str:
    """Of a founding member."""
    return _environment([f"{m.name}={m.peer_url}" for m in marker.members], "new", marker.token)


def joining(name: str, entry: Entry, members: Sequence[Entry], token: str) -> str:
    """Of a member that was added as `entry`, itself one of the members.

    etcd matches the list with its peers' by peer URLs, and of the names only its own must be
    right; what never started has none, so its address stands in.
    """
    names = {e: name if e == entry else e.name or e.address for e in members}
    urls = [f"{names[e]}=https://{e.address}:{ETCD_PEER_PORT}" for e in members]
    return _environment(urls, "existing", token)


def _environment(cluster: Sequence[str], state: Literal["new", "existing"], token: str) -> str:
    return (
        f"ETCD_INITIAL_CLUSTER={','.join(cluster)}\n"
        f"ETCD_INITIAL_CLUSTER_STATE={state}\n"
        f"ETCD_INITIAL_CLUSTER_TOKEN={token}\n"
    )
