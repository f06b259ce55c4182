"""Cluster: composes the rest; the only file that knows every component."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.api.load_balancer import ApiLoadBalancer, ApiLoadBalancerArgs
from components.api.tier import ApiServerTier, ApiServerTierArgs
from components.etcd.address_reservations import reserve_member_addresses
from components.etcd.tier import EtcdTier, EtcdTierArgs
from components.gates import Gates, GatesArgs
from components.gates.aws import AwsReader
from components.gates.checks import Checks
from components.lookups.aws_context import AwsContext
from components.lookups.cluster_record import CLUSTER, cluster_entry, record_parameter
from components.monitoring.alarms import Alarms, AlarmsArgs
from components.naming import EtcdMember, ParameterPaths, api_servers, etcd_members
from components.network.addressing import etcd_cidrs, plan_zones
from components.network.operator_access import instance_connect
from components.network.security_group_rules import Group, groups, rules
from components.network.security_groups import SecurityGroups, SecurityGroupsArgs
from components.network.vpc import Network, NetworkArgs, Subnets, adopted
from components.network.vpc_endpoints import VpcEndpoints, VpcEndpointsArgs
from components.nodes.agent_object import agent_object
from components.nodes.foundation import Foundation
from components.nodes.operations import operations_parameter
from components.outputs import ClusterOutputs, controllers_output, etcd_output, nodes_output
from components.pki.admin_kubeconfig import admin_kubeconfig
from components.pki.authorities import ClusterPki, ClusterPkiArgs
from components.pki.certificates import ADMIN
from components.pki.issuance import Issuance
from components.pki.leaf_certificate import LeafCertificate, LeafCertificateArgs
from components.storage.bucket import ClusterBucket, ClusterBucketArgs
from components.storage.kms_key import EncryptionKey, EncryptionKeyArgs
from components.tags import cluster_tags
from config import ClusterSettings


class Cluster(pulumi.ComponentResource):
    """A highly available Kubernetes control plane. Its arguments are the stack's settings."""

    outputs: ClusterOutputs
    """What people and other programs need to know of the cluster."""

    def __init__(
        self,
        name: str,
        settings: ClusterSettings,
        environment: AwsContext,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("hak8s:index:Cluster", name, {}, opts)
        self._name, self._settings, self._environment = name, settings, environment
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = cluster_tags(settings.cluster_name, settings.tags)

        record = record_parameter(
            name,
            CLUSTER,
            cluster_entry(settings, environment.placement.slots, environment.image_id),
            paths=ParameterPaths(settings.cluster_name),
            tags=self._tags,
            parent=self,
        )
        subnets, routes = self._network(record)
        firewall = SecurityGroups(
            name,
            SecurityGroupsArgs(
                vpc_id=subnets.vpc_id,
                groups=groups(settings),
                rules=rules(settings, tuple(subnets.nat_addresses)),
                nat_addresses=subnets.nat_addresses,
                tags=self._tags,
            ),
            self._child,
        )
        self._operator_access(subnets, firewall.group_ids)
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                account=environment.account, protect=settings.protect, tags=self._tags
            ),
            self._child,
        )
        bucket = self._bucket(key)
        endpoint = self._api_endpoint(subnets, firewall.group_ids["balancer"])
        cloud = AwsReader(
            region=environment.account.region,
            profile=aws.config.profile,
            account_id=environment.account.account_id,
        )
        members = etcd_members(settings, environment.placement)
        paths = ParameterPaths(settings.cluster_name)
        foundation = Foundation(
            settings=settings,
            environment=environment,
            paths=paths,
            subnets=subnets,
            pki=ClusterPki(
                name,
                ClusterPkiArgs(
                    ca_years=settings.pki.ca_years,
                    issuance=Issuance(cloud.time),
                    protect=settings.protect,
                ),
                self._child,
            ),
            key_arn=key.arn,
            bucket=bucket,
            boot_after=[
                *routes,
                firewall,
                *reserve_member_addresses(
                    name,
                    cidrs=etcd_cidrs(settings.network, environment.placement.slots),
                    subnet_ids=subnets.etcd,
                    parent=self,
                ),
                *self._endpoints(subnets, firewall.group_ids),
                agent_object(name, bucket=bucket, parent=self),
                operations_parameter(
                    name, settings=settings, paths=paths, tags=self._tags, parent=self
                ),
            ],
            gates=self._gates(cloud, endpoint, members),
            tags=self._tags,
        )
        etcd = EtcdTier(
            name,
            EtcdTierArgs(
                foundation=foundation, members=members, group_id=firewall.group_ids["etcd"]
            ),
            self._child,
        )
        nodes = api_servers(settings, environment.placement)
        api = ApiServerTier(
            name,
            ApiServerTierArgs(
                foundation=foundation,
                nodes=nodes,
                group_id=firewall.group_ids["api"],
                endpoint=endpoint,
            ),
            self._child,
        )
        instance_ids = {**etcd.instance_ids, **api.instance_ids}
        alarms = self._alarms(endpoint, key, instance_ids, machines=[etcd, api])
        self.outputs = ClusterOutputs(
            api_url=endpoint.url,
            ca_certificate=foundation.pki.authorities["kubernetes"].cert_pem,
            kubeconfig=self._kubeconfig(endpoint, foundation.pki),
            etcd=etcd_output(environment.placement.quorum(settings), members),
            controllers=controllers_output(settings),
            nodes=nodes_output(
                members, nodes, instance_ids=instance_ids, api_addresses=api.addresses
            ),
            alarm_topic_arn=alarms.topic_arn,
            workers_security_group_id=firewall.group_ids["workers"],
        )
        self.register_outputs({"api_url": endpoint.url})

    def _network(self, record: pulumi.Resource) -> tuple[Subnets, list[pulumi.Resource]]:
        """The subnets, and the routes that machines must find when they boot."""
        settings, environment = self._settings, self._environment
        if settings.network.existing is not None:
            return adopted(settings.network.existing), []
        network = Network(
            self._name,
            NetworkArgs(
                cidr=settings.network.cidr,
                zones=plan_zones(settings.network.cidr, environment.placement.slots),
                account=environment.account,
                nat=settings.network.nat,
                flow_log_days=settings.network.flow_log_days,
                # So that an update that ends early has written down the zones of its subnets.
                after=[record],
                tags=self._tags,
            ),
            self._child,
        )
        return network.subnets, [network]

    def _operator_access(
        self, subnets: Subnets, group_ids: Mapping[Group, pulumi.Output[str]]
    ) -> None:
        if "operator" in group_ids:
            instance_connect(
                self._name,
                subnet_id=subnets.private[self._environment.placement.zones[0]],
                group_id=group_ids["operator"],
                tags=self._tags,
                parent=self,
            )

    def _endpoints(
        self, subnets: Subnets, group_ids: Mapping[Group, pulumi.Output[str]]
    ) -> list[pulumi.Resource]:
        """The private endpoints of a network without a way out; none where there is one."""
        if "endpoints" not in group_ids:
            return []
        arguments = VpcEndpointsArgs(
            subnets=subnets,
            group_id=group_ids["endpoints"],
            region=self._environment.account.region,
            tags=self._tags,
        )
        return [VpcEndpoints(self._name, arguments, self._child)]

    def _bucket(self, key: EncryptionKey) -> ClusterBucket:
        return ClusterBucket(
            f"{self._name}-bucket",
            ClusterBucketArgs(
                key_arn=key.arn,
                protect=self._settings.protect,
                tags=self._tags,
            ),
            self._child,
        )

    def _api_endpoint(self, subnets: Subnets, group_id: pulumi.Input[str]) -> ApiLoadBalancer:
        internal = self._settings.api.internal
        return ApiLoadBalancer(
            f"{self._name}-api",
            ApiLoadBalancerArgs(
                vpc_id=subnets.vpc_id,
                subnet_ids=list((subnets.private if internal else subnets.public).values()),
                group_id=group_id,
                internal=internal,
                protect=self._settings.protect,
                tags=self._tags,
            ),
            self._child,
        )

    def _gates(
        self, cloud: AwsReader, endpoint: ApiLoadBalancer, members: tuple[EtcdMember, ...]
    ) -> Gates:
        settings = self._settings
        return Gates(
            GatesArgs(
                checks=Checks(
                    cluster=settings.cluster_name,
                    members=frozenset(member.name for member in members),
                    api_size=settings.api.size,
                    cloud=cloud,
                ),
                protect=settings.protect,
                timeout=settings.gate_timeout,
                target_group_arn=endpoint.target_group_arn,
            )
        )

    def _alarms(
        self,
        endpoint: ApiLoadBalancer,
        key: EncryptionKey,
        instance_ids: Mapping[str, pulumi.Output[str]],
        machines: list[pulumi.Resource],
    ) -> Alarms:
        return Alarms(
            self._name,
            AlarmsArgs(
                cluster=self._settings.cluster_name,
                instance_ids=instance_ids,
                load_balancer=endpoint.load_balancer_dimension,
                target_group=endpoint.target_group_dimension,
                api_servers=self._settings.api.size,
                key_arn=key.arn,
                after=machines,
                snapshot_minutes=self._settings.etcd.snapshots.every_minutes,
                tags=self._tags,
            ),
            self._child,
        )

    def _kubeconfig(self, endpoint: ApiLoadBalancer, pki: ClusterPki) -> pulumi.Output[str]:
        kubernetes = pki.authorities["kubernetes"]
        arguments = LeafCertificateArgs(
            spec=ADMIN, authority=kubernetes, lifetime=self._settings.pki
        )
        admin = LeafCertificate(f"{self._name}-{ADMIN.file}", arguments, self._child)
        return pulumi.Output.all(
            url=endpoint.url,
            ca_pem=kubernetes.cert_pem,
            cert_pem=admin.cert_pem,
            key_pem=admin.key_pem,
        ).apply(lambda known: admin_kubeconfig(cluster=self._settings.cluster_name, **known))
