"""Contract between the Pulumi program and the node agent: what both must agree on, written once."""

from enum import StrEnum

ETCD_CLIENT_PORT = 2379
ETCD_PEER_PORT = 2380
ETCD_METRICS_PORT = 2381
"""Plain HTTP: `/health` and `/metrics`."""
API_PORT = 6443
KUBELET_PORT = 10250
KUBE_PROXY_HEALTH_PORT = 10256
"""`/healthz`, which load balancers of Services ask on a worker's own address."""

AGENT_UNIT = "ha-node.service"
ETCD_UNIT = "etcd.service"
PROXY_UNIT = "etcd-proxy.service"
LEADER_WATCH_UNIT = "etcd-leader-watch.service"
API_SERVER_UNIT = "kube-apiserver.service"

KUBELET_UNIT = "kubelet.service"
KUBE_PROXY_UNIT = "kube-proxy.service"
CONTAINERD_UNIT = "containerd.service"
CLUSTER_AGENT_UNIT = "ha-cluster-agent.service"

CLUSTER_TAG = "ha-kubernetes:cluster"
POOL_TAG = "ha-kubernetes:pool"
"""Tags of every worker's instance: the names of its cluster and of its pool. A kubelet joins only
from an instance that has both, whatever name it asks a certificate for."""
POOL_LABEL = "ha-kubernetes/pool"
"""Label of every worker's Node: the name of its pool."""
BOOTSTRAP_GROUP = "system:bootstrappers:ha-kubernetes"
"""Who holds the workers' bootstrap token, to Kubernetes. It may ask for a certificate."""
STRANDED_ANNOTATION = "ha-kubernetes/no-other-node"
"""Annotation, "true", that the cluster agent gives to Nodes while every Node of the cluster is
cordoned: pods have nowhere to go, and a drain no longer waits for disruption budgets."""
DRAIN_HOOK = "drain"
"""Lifecycle hook that keeps an instance until its pods are evicted."""
JOIN_HOOK = "join"
"""Lifecycle hook that keeps an instance out of service until its worker has joined. Without it an
instance counts once it runs, and a refresh goes on to end those of before."""

ETCD_USER = "etcd"
KUBERNETES_USER = "kubernetes"
"""System user of the three daemons of an API server."""

PEER_COMMON_NAME = "etcd-peer"
"""Common name of every peer certificate, the only one that members accept on the peer port; no
other certificate of the etcd CA has it."""
FRONT_PROXY_COMMON_NAME = "front-proxy-client"

ETCD_PKI = "/etc/etcd/pki"
ETCD_MOUNT = "/var/lib/etcd"
"""Where the data volume is mounted."""
ETCD_DATA = f"{ETCD_MOUNT}/data"
ETCD_WAL = f"{ETCD_DATA}/member/wal"
"""Write-ahead log: etcd takes a disk for initialised when this holds a `*.wal` (wal.Exist)."""

KUBERNETES = "/etc/kubernetes"
KUBERNETES_PKI = f"{KUBERNETES}/pki"

CNI_BINARIES = "/opt/cni/bin"
"""Where containerd looks for network plug-ins, and packages of others put theirs."""
CNI_CONFIG = "/etc/cni/net.d/10-ha-kubernetes.conflist"
"""The pods' network, written by `prepare` of a worker."""

KUBELET_PKI = "/var/lib/kubelet/pki"
KUBELET_CERTIFICATE = f"{KUBELET_PKI}/kubelet-client-current.pem"
"""Certificate and key by which a worker is known, in one file, written and renewed by kubelet."""
BOOTSTRAP_KUBECONFIG = f"{KUBERNETES}/bootstrap-kubelet.conf"
"""The join token, written by `prepare` and `reconcile` of a worker until it has a certificate."""
KUBELET_KUBECONFIG = f"{KUBERNETES}/kubelet.conf"
"""Written by kubelet itself once it has a certificate."""
DRAIN_SECONDS = 900
"""Heartbeat timeout of DRAIN_HOOK: how long an instance waits for its pods to be evicted, at most,
unless the agent on it sends a heartbeat."""
JOIN_SECONDS = 900
"""Heartbeat timeout of JOIN_HOOK: how long a launch waits before its instance is given up and
another one started. A worker joins within minutes of its boot; the rest is for a control plane that
forms at the same time or is away, when another machine would join no sooner."""
LONGEST_DRAIN_SECONDS = 3600
"""Of a drain whose pods were told to end and have not used up the time that they may take
(terminationGracePeriodSeconds)."""

CONFIGURATION = "/etc/ha-kubernetes"
NODE_JSON = f"{CONFIGURATION}/node.json"
NODE_ENV = f"{CONFIGURATION}/node.env"
"""NODE_ADDRESS for units, written by `prepare`."""
PROXY_CONFIG = f"{CONFIGURATION}/etcd-proxy.cfg"
"""HAProxy's configuration, written by `reconcile` from the membership."""
AUTHORIZED_KEYS = f"{CONFIGURATION}/authorized_keys"
"""Public SSH keys of operators, written by `reconcile`."""

PROXY_RUNTIME = "/run/etcd-proxy"
PROXY_SOCKET = f"{PROXY_RUNTIME}/admin.sock"
"""Where HAProxy takes commands."""

RUNTIME = "/run/ha-kubernetes"
WORKER_STATUS = f"{RUNTIME}/worker.json"
"""How a worker is, written by `report` of a worker: {"state": "joining", "joined" or "draining",
"reason", "node", "pool", "time"}."""
CLUSTER_ENV = f"{RUNTIME}/cluster.env"
"""ETCD_INITIAL_CLUSTER and its like, for etcd.service (`EnvironmentFile=-`), written by `reconcile`
once it decided how etcd starts.

It exists only while an empty disk is to be started, and a reboot removes it: a stale "new" with
an emptied disk would form a second cluster. etcd.service starts only with this file or with a
write-ahead log (ConditionPathExists=|, ConditionPathExistsGlob=|).
"""

CACHE = "/var/cache/ha-kubernetes"
"""Snapshots on their way to S3 or back. On the root disk: a file of the database's size alongside
the data would compete with etcd's own writes, and could fill its disk."""

LIBRARY = "/usr/local/lib/ha-kubernetes"
BINARIES = "/usr/local/bin"
NODE_COMMAND = "/usr/local/sbin/ha-node"

SNAPSHOT_PREFIX = "snapshots/"
"""Where etcd snapshots lie in the cluster's bucket: below it a folder for each member."""

INTERVAL_SECONDS = 30
"""Seconds between two runs of `reconcile`, and of `report`."""
GATE_STALE_SECONDS = 3 * INTERVAL_SECONDS
"""Age at which a report no longer counts for a gate of `pulumi up`, which then waits."""
NODE_STALE_SECONDS = 6 * INTERVAL_SECONDS
"""Age at which a report no longer counts for other nodes, which then go on without its node: three
missed ones may be a slow AWS, six are a dead machine."""


class EtcdState(StrEnum):
    """State of an etcd node, as it reports it."""

    WAITING = "waiting"
    """etcd does not answer."""
    EMPTY = "empty"
    """The disk is empty and the node asks to join."""
    JOINING = "joining"
    """A learner, or about to be."""
    MEMBER = "member"
    """A voter."""
    LEFT = "left"
    """No member, and none to be."""


class Role(StrEnum):
    """Role of a member in the membership that a node reports."""

    VOTER = "voter"
    LEARNER = "learner"


class Metric(StrEnum):
    """Metric that nodes send to CloudWatch, with the one dimension Cluster."""

    HAS_LEADER = "HasLeader"
    """1 when an etcd member knows a leader, else 0: also without an etcd to ask."""
    NO_SPACE = "NoSpaceAlarm"
    """1 when etcd's cluster-wide alarm is on, else 0."""
    CORRUPT = "CorruptAlarm"
    """1 when etcd's cluster-wide alarm is on, else 0."""
    DATABASE_QUOTA_PERCENT = "DatabaseQuotaPercent"
    """Size of the database file against the quota: what etcd itself compares."""
    MISSING_MEMBERS = "MissingMembers"
    """Desired members that are no healthy voters, from the member that leads."""
    SNAPSHOT_AGE_SECONDS = "SnapshotAgeSeconds"
    """Of the newest snapshot that a member knows to be stored."""
    SNAPSHOT_FAILED = "SnapshotFailed"
    """1 when the last attempt of the member that leads failed, else 0."""
    DATA_DISK_NEEDED_PERCENT = "DataDiskNeededPercent"
    """Used part of the data volume's file system, with the database counted as large as its
    quota."""
    CERTIFICATE_DAYS_LEFT = "CertificateDaysLeft"
    """Of the certificate of a node that expires first, a CA's or a leaf's."""


class WorkerMetric(StrEnum):
    """Metric of workers that the cluster agent sends to CloudWatch, with the one dimension Cluster;
    of stacks with pools alone."""

    UNDECIDED_REQUEST_SECONDS = "UndecidedRequestSeconds"
    """Age of the oldest certificate request of a worker that nobody has decided about; 0 without
    one."""
    NOT_READY_SECONDS = "NotReadyWorkerSeconds"
    """For how long a worker in service has not been ready, of the one that has been so longest; 0
    without one."""
    MISSING_SECONDS = "MissingWorkerSeconds"
    """For how long a group has been short of workers while none came, of the one that has been so
    longest; 0 without one."""


def worker_name(address: str, region: str) -> str:
    """Name of a worker's Node: the name that EC2 itself gives an instance, from its private IPv4
    address.

    Both sides compute it: the metadata's `local-hostname` follows the domain in the VPC's DHCP
    options, and EC2's `PrivateDnsName` mostly does not (amazon-eks-ami issues 1263, 1457, 1711).
    """
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{domain}"


def metric_namespace(cluster: str) -> str:
    """CloudWatch namespace of what the nodes of a cluster report.

    One for each cluster: IAM can restrict the namespace of a metric and not its dimensions, so in a
    shared one the nodes of one cluster could keep the alarms of another silent.
    """
    return f"ha-kubernetes/{cluster}"
