"""Paths on a node; the contract between cloud-init, the units and the node agent."""

ETCD_PKI = "/etc/etcd/pki"
ETCD_MOUNT = "/var/lib/etcd"
ETCD_DATA = f"{ETCD_MOUNT}/data"

KUBERNETES = "/etc/kubernetes"
KUBERNETES_PKI = f"{KUBERNETES}/pki"

CONFIGURATION = "/etc/ha-kubernetes"
NODE_JSON = f"{CONFIGURATION}/node.json"
NODE_ENV = f"{CONFIGURATION}/node.env"
"""NODE_ADDRESS, written by `prepare`."""
PROXY_CONFIG = f"{CONFIGURATION}/etcd-proxy.cfg"
"""HAProxy's configuration, written by `reconcile` from the membership."""

AUTHORIZED_KEYS = f"{CONFIGURATION}/authorized_keys"
"""Public SSH keys of operators, written by `reconcile`."""

RUNTIME = "/run/ha-kubernetes"
CLUSTER_ENV = f"{RUNTIME}/cluster.env"
"""ETCD_INITIAL_CLUSTER and its like, written by `reconcile` once it decided how etcd starts."""

CACHE = "/var/cache/ha-kubernetes"
"""Snapshots on their way to S3 or back, on the root disk."""

LIBRARY = "/usr/local/lib/ha-kubernetes"
BINARIES = "/usr/local/bin"
NODE_COMMAND = "/usr/local/sbin/ha-node"
