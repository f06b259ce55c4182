"""Address of the cluster's DNS, which every kubelet tells its pods. Pure."""

from ipaddress import IPv4Address, IPv4Network

_HOST = 10
"""The tenth address of the service network, by custom: kubeadm and kops take it too."""


def cluster_dns(service_cidr: IPv4Network) -> IPv4Address:
    """Address of the Service of CoreDNS."""
    return service_cidr[_HOST]
