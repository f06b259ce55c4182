"""Two clusters in one program: one in a network that the program makes, one in another region."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout of ha-kubernetes

import pulumi
import pulumi_aws as aws
from platform_network import ETCD_CIDRS, platform_network

from components.cluster import Cluster
from config import check

# A network of your own: its ids are Outputs. Zones and the CIDRs of the etcd subnets are plain,
# because the members' addresses are computed from them before anything exists.
own_network = {
    "cidr": "10.8.0.0/16",
    "existing": {"zones": {zone: {"etcdCidr": cidr} for zone, cidr in ETCD_CIDRS.items()}},
}
frankfurt = Cluster(
    check({"network": own_network, "api": {"size": 2}}, stack="frankfurt"),
    network=platform_network(),
)

# Everything of this one is in the region of its provider.
small = {"etcd": {"size": 1}, "api": {"size": 1}, "protect": False}
dublin = Cluster(
    check(small, stack="dublin"),
    pulumi.ResourceOptions(provider=aws.Provider("dublin", region="eu-west-1")),
)

for cluster in (frankfurt, dublin):
    name = cluster.pulumi_resource_name
    pulumi.export(name, cluster.outputs.api_url)
    pulumi.export(f"{name}-kubeconfig", cluster.outputs.kubeconfig)
