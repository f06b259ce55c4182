"""Cluster: composes the rest; the only file that knows every component."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.api.load_balancer import ApiLoadBalancer, ApiLoadBalancerArgs
from components.api.server_tier import ApiServerTier, ApiServerTierArgs
from components.etcd.address_reservations import reserve_member_addresses
from components.etcd.member_tier import EtcdTier, EtcdTierArgs
from components.gates import Gates, GatesArgs
from components.gates.aws_reader import AwsReader
from components.gates.checks import Checks
from components.lookups.aws_context import AwsContext, aws_provider, look_up
from components.lookups.cluster_record import CLUSTER, cluster_entry, record_parameter
from components.monitoring.alarms import Alarms, AlarmsArgs
from components.naming import ParameterPaths, api_servers, etcd_members, worker_pools
from components.network.addressing import etcd_cidrs, plan_zones
from components.network.network_ids import NetworkIds, existing_network
from components.network.operator_access import instance_connect
from components.network.security_group_rules import Group, groups, rules
from components.network.security_groups import SecurityGroups, SecurityGroupsArgs
from components.network.vpc import Network, NetworkArgs
from components.network.vpc_endpoints import VpcEndpoints, VpcEndpointsArgs
from components.next_steps import next_steps
from components.nodes.agent_object import agent_object
from components.nodes.operations_parameter import operations_parameter
from components.outputs import (
    ClusterOutputs,
    controllers_output,
    etcd_output,
    nodes_output,
    workers_output,
)
from components.pki.admin_kubeconfig import admin_kubeconfig
from components.pki.authorities import ClusterPki, ClusterPkiArgs
from components.pki.certificates import ADMIN
from components.pki.issuance import Issuance
from components.pki.leaf_certificate import LeafCertificate, LeafCertificateArgs
from components.program_scope import once_per_program
from components.storage.bucket import ClusterBucket, ClusterBucketArgs
from components.storage.kms_key import EncryptionKey, EncryptionKeyArgs
from components.tags import cluster_tags
from components.workers.pod_capacity import pod_capacity
from components.workers.worker_parameters import worker_parameters
from components.workers.worker_pool import WorkerPool, WorkerPoolArgs
from config import ClusterSettings


class Cluster(pulumi.ComponentResource):
    """A highly available Kubernetes control plane, named as `clusterName` says.

    A program may have several, each with a name of its own. Everything of a cluster is in the
    region of its AWS provider: the one of `opts`, or the default one of `aws:region`.
    """

    context: AwsContext
    """Account, zones and image."""
    outputs: ClusterOutputs
    """What people and other programs need to know of the cluster."""

    def __init__(
        self,
        settings: ClusterSettings,
        opts: pulumi.ResourceOptions | None = None,
        *,
        network: NetworkIds | None = None,
    ) -> None:
        """`network` has the ids of a network that the program makes itself; the settings then have
        its zones and the CIDRs of its etcd subnets in `network.existing`.

        Raises ConfigError and LookupFailedError, before anything is registered, when the settings
        do not fit the network or what AWS has; ValueError while it registers, when another cluster
        of the program has the name.
        """
        self._settings = settings
        ids = existing_network(settings, network)
        self.context = look_up(settings, aws_provider(opts))
        name = settings.cluster_name
        super().__init__("hak8s:index:Cluster", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = cluster_tags(name, settings.tags)
        account, placement = self.context.account, self.context.placement
        paths = ParameterPaths(name)
        record = record_parameter(
            name,
            CLUSTER,
            cluster_entry(settings, placement.slots, self.context.image_id),
            paths=paths,
            tags=self._tags,
            parent=self,
        )
        routes: list[pulumi.Resource] = []
        if ids is None:
            made = self._network(record)
            ids, routes = made.ids, [made]
        security_groups = SecurityGroups(
            name,
            SecurityGroupsArgs(
                vpc_id=ids.vpc_id,
                groups=groups(settings),
                rules=rules(settings, tuple(ids.nat_addresses)),
                nat_addresses=ids.nat_addresses,
                tags=self._tags,
            ),
            self._child,
        )
        group_ids = security_groups.group_ids
        self._operator_access(ids, group_ids)
        key = EncryptionKey(
            name,
            EncryptionKeyArgs(
                account=account,
                protect=settings.protect,
                auto_scaling=bool(settings.workers),
                tags=self._tags,
            ),
            self._child,
        )
        bucket = ClusterBucket(
            f"{name}-bucket",
            ClusterBucketArgs(key_arn=key.arn, protect=settings.protect, tags=self._tags),
            self._child,
        )
        load_balancer = self._load_balancer(ids, group_ids["balancer"])
        reader = AwsReader(
            region=account.region, profile=aws.config.profile, account_id=account.account_id
        )
        pki = ClusterPki(
            name,
            ClusterPkiArgs(
                ca_years=settings.pki.ca_years,
                issuance=once_per_program(Issuance, lambda: Issuance(reader.time)),
                protect=settings.protect,
            ),
            self._child,
        )
        before_boot = [
            *routes,
            security_groups,
            *reserve_member_addresses(
                name,
                cidrs=etcd_cidrs(settings.network, placement.slots),
                subnet_ids=ids.etcd,
                parent=self,
            ),
            *self._endpoints(ids, group_ids),
            agent_object(name, bucket=bucket, parent=self),
            operations_parameter(
                name, settings=settings, paths=paths, tags=self._tags, parent=self
            ),
            *worker_parameters(
                name,
                settings=settings,
                ca_pem=pki.authorities["kubernetes"].cert_pem,
                key_arn=key.arn,
                tags=self._tags,
                parent=self,
            ),
        ]
        gates = self._gates(reader, load_balancer)
        members = etcd_members(settings, placement)
        etcd = EtcdTier(
            name,
            EtcdTierArgs(
                settings=settings,
                members=members,
                account=account,
                image_id=self.context.image_id,
                subnet_ids=ids.etcd,
                security_group_id=group_ids["etcd"],
                ca=pki.authorities["etcd"],
                kms_key_arn=key.arn,
                bucket_name=bucket.bucket_name,
                bucket_arn=bucket.arn,
                gates=gates,
                depends_on=before_boot,
                tags=self._tags,
            ),
            self._child,
        )
        servers = api_servers(settings, placement)
        api = ApiServerTier(
            name,
            ApiServerTierArgs(
                settings=settings,
                servers=servers,
                account=account,
                image_id=self.context.image_id,
                subnet_ids=ids.private,
                security_group_id=group_ids["api"],
                pki=pki,
                dns_name=load_balancer.dns_name,
                target_group_arn=load_balancer.target_group_arn,
                kms_key_arn=key.arn,
                bucket_name=bucket.bucket_name,
                bucket_arn=bucket.arn,
                gates=gates,
                depends_on=[*before_boot, *etcd.quorum],
                tags=self._tags,
            ),
            self._child,
        )
        capacities = {
            pool: pod_capacity(
                settings,
                self.context.interface_addresses[settings.instance_type(sizes.instance_type)],
            )
            for pool, sizes in settings.workers.items()
        }
        pools = {
            pool.name: WorkerPool(
                pool.resource_name(name),
                WorkerPoolArgs(
                    settings=settings,
                    pool=pool,
                    account=account,
                    image_id=self.context.image_id,
                    root_device=self.context.root_device,
                    subnet_ids=ids.workers,
                    security_group_id=group_ids["workers"],
                    api_url=load_balancer.url,
                    capacity=capacities[pool.name],
                    kms_key_arn=key.arn,
                    bucket_name=bucket.bucket_name,
                    bucket_arn=bucket.arn,
                    # So that a stack that is destroyed drains them while there is an API to ask.
                    depends_on=[*before_boot, api],
                    tags=self._tags,
                ),
                self._child,
            )
            for pool in worker_pools(settings, placement)
        }
        instance_ids = {**etcd.instance_ids, **api.instance_ids}
        alarms = Alarms(
            name,
            AlarmsArgs(
                cluster=name,
                instance_ids=instance_ids,
                load_balancer=load_balancer.load_balancer_dimension,
                target_group=load_balancer.target_group_dimension,
                api_servers=settings.api.size,
                key_arn=key.arn,
                after=[etcd, api],
                snapshot_minutes=settings.etcd.snapshots.every_minutes,
                workers=bool(settings.workers),
                tags=self._tags,
            ),
            self._child,
        )
        self.outputs = ClusterOutputs(
            api_url=load_balancer.url,
            ca_certificate=pki.authorities["kubernetes"].cert_pem,
            kubeconfig=self._kubeconfig(load_balancer, pki),
            etcd=etcd_output(placement.quorum(settings), members),
            controllers=controllers_output(settings),
            nodes=nodes_output(
                members, servers, instance_ids=instance_ids, api_addresses=api.addresses
            ),
            workers=workers_output(
                {name: pool.group_names for name, pool in pools.items()}, capacities
            ),
            alarm_topic_arn=alarms.topic_arn,
            workers_security_group_id=group_ids["workers"],
            next_steps=pulumi.Output.all(
                api_url=load_balancer.url,
                instance_id=instance_ids[members[0].name],
                topic_arn=alarms.topic_arn,
            ).apply(lambda known: next_steps(settings, region=account.region, **known)),
        )
        self.register_outputs(self.outputs.by_name())

    def _network(self, record: pulumi.Resource) -> Network:
        """A VPC of the cluster's own; instances need its routes when they boot."""
        settings, context = self._settings, self.context
        return Network(
            settings.cluster_name,
            NetworkArgs(
                cidr=settings.network.cidr,
                zones=plan_zones(settings.network.cidr, context.placement.slots),
                account=context.account,
                nat=settings.network.nat,
                workers=bool(settings.workers),
                pods=settings.pods_in_vpc,
                flow_log_days=settings.network.flow_log_days,
                # So that an update that ends early has written down the zones of its subnets.
                after=[record],
                tags=self._tags,
            ),
            self._child,
        )

    def _operator_access(
        self, ids: NetworkIds, group_ids: Mapping[Group, pulumi.Output[str]]
    ) -> None:
        if "operator" in group_ids:
            instance_connect(
                self._settings.cluster_name,
                subnet_id=ids.private[self.context.placement.zones[0]],
                group_id=group_ids["operator"],
                tags=self._tags,
                parent=self,
            )

    def _endpoints(
        self, ids: NetworkIds, group_ids: Mapping[Group, pulumi.Output[str]]
    ) -> list[pulumi.Resource]:
        """The private endpoints of a network without a way out; none where there is one."""
        if "endpoints" not in group_ids:
            return []
        arguments = VpcEndpointsArgs(
            vpc_id=ids.vpc_id,
            subnet_ids=list(ids.private.values()),
            security_group_id=group_ids["endpoints"],
            region=self.context.account.region,
            workers=bool(self._settings.workers),
            tags=self._tags,
        )
        return [VpcEndpoints(self._settings.cluster_name, arguments, self._child)]

    def _load_balancer(
        self, ids: NetworkIds, security_group_id: pulumi.Input[str]
    ) -> ApiLoadBalancer:
        settings = self._settings
        return ApiLoadBalancer(
            f"{settings.cluster_name}-api",
            ApiLoadBalancerArgs(
                vpc_id=ids.vpc_id,
                subnet_ids=list((ids.private if settings.api.internal else ids.public).values()),
                security_group_id=security_group_id,
                internal=settings.api.internal,
                protect=settings.protect,
                tags=self._tags,
            ),
            self._child,
        )

    def _gates(self, reader: AwsReader, load_balancer: ApiLoadBalancer) -> Gates:
        settings = self._settings
        members = etcd_members(settings, self.context.placement)
        return Gates(
            GatesArgs(
                checks=Checks(
                    cluster=settings.cluster_name,
                    members=frozenset(member.name for member in members),
                    api_size=settings.api.size,
                    cloud=reader,
                ),
                protect=settings.protect,
                timeout=settings.gate_timeout,
                target_group_arn=load_balancer.target_group_arn,
            )
        )

    def _kubeconfig(self, load_balancer: ApiLoadBalancer, pki: ClusterPki) -> pulumi.Output[str]:
        name, kubernetes = self._settings.cluster_name, pki.authorities["kubernetes"]
        arguments = LeafCertificateArgs(spec=ADMIN, ca=kubernetes, lifetime=self._settings.pki)
        admin = LeafCertificate(f"{name}-{ADMIN.file}", arguments, self._child)
        return pulumi.Output.all(
            url=load_balancer.url,
            ca_pem=kubernetes.cert_pem,
            cert_pem=admin.cert_pem,
            key_pem=admin.key_pem,
        ).apply(lambda known: admin_kubeconfig(cluster=name, **known))
