"""Contract between the program and the node agent: what both sides must agree on, written once."""

ETCD_CLIENT_PORT = 2379
ETCD_PEER_PORT = 2380
ETCD_METRICS_PORT = 2381
"""Plain HTTP: `/health` and `/metrics`."""
API_PORT = 6443

ETCD_PKI = "/etc/etcd/pki"
ETCD_MOUNT = "/var/lib/etcd"
"""Where the data volume is mounted."""
ETCD_DATA = f"{ETCD_MOUNT}/data"

KUBERNETES = "/etc/kubernetes"
KUBERNETES_PKI = f"{KUBERNETES}/pki"

CONFIGURATION = "/etc/ha-kubernetes"
NODE_JSON = f"{CONFIGURATION}/node.json"
NODE_ENV = f"{CONFIGURATION}/node.env"
"""NODE_ADDRESS for units, written by `prepare`."""
PROXY_CONFIG = f"{CONFIGURATION}/etcd-proxy.cfg"
"""HAProxy's configuration, written by `reconcile` from the membership."""
AUTHORIZED_KEYS = f"{CONFIGURATION}/authorized_keys"
"""Public SSH keys of operators, written by `reconcile`."""

RUNTIME = "/run/ha-kubernetes"
CLUSTER_ENV = f"{RUNTIME}/cluster.env"
"""ETCD_INITIAL_CLUSTER and its like, for etcd.service (`EnvironmentFile=-`), written by `reconcile`
once it decided how etcd starts.

It exists only while an empty disk is to be started, and a reboot removes it: a stale "new" beside
an emptied disk would form a second cluster. etcd.service starts only with this file or with a
write-ahead log (ConditionPathExists=|, ConditionPathExistsGlob=|).
"""

CACHE = "/var/cache/ha-kubernetes"
"""Snapshots on their way to S3 or back. On the root disk: a file of the database's size beside the
data would compete with etcd's own writes, and could fill its disk."""

LIBRARY = "/usr/local/lib/ha-kubernetes"
BINARIES = "/usr/local/bin"
NODE_COMMAND = "/usr/local/sbin/ha-node"


def metric_namespace(cluster: str) -> str:
    """CloudWatch namespace of what the nodes of a cluster report.

    One for each cluster: IAM can restrict the namespace of a metric and not its dimensions, so in a
    shared one the nodes of one cluster could keep the alarms of another silent.
    """
    return f"ha-kubernetes/{cluster}"
