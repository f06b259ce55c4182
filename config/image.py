"""The packages that a node's image needs: one list for user data and for the documentation.

A node installs at first boot what its image lacks (`node-packages.service`). Where it reaches no
package mirror, an image of one's own has to hold them all. What daemons and the node agent call
belongs to one of these or to BASE, which a test checks.
"""

from collections.abc import Mapping

BASE = ("cloud-init", "dash", "dpkg", "apt", "procps", "python3", "systemd", "util-linux")
"""Debian packages of every Debian 13 cloud image: without one of them it would not boot here."""

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "etcd": ("chrony", "e2fsprogs", "openssl", "python3-boto3"),
    "api": ("chrony", "haproxy", "openssl", "python3-boto3"),
    # e2fsprogs: what the kubelet makes the file systems of volumes with.
    "worker": ("chrony", "e2fsprogs", "nftables", "openssl", "python3-boto3"),
}
"""Debian packages that a tier's nodes need besides, by tier."""
