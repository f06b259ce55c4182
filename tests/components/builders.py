"""Every component with the arguments that it needs, to be built alone."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network

import pulumi

from components.api.load_balancer import ApiLoadBalancer, ApiLoadBalancerArgs
from components.api.server import ApiNode, ApiNodeArgs
from components.api.server_tier import ApiServerTier, ApiServerTierArgs
from components.etcd.member import EtcdNode, EtcdNodeArgs
from components.etcd.member_tier import EtcdTier, EtcdTierArgs
from components.etcd.membership_parameters import Membership, MembershipArgs
from components.gates import Gates, GatesArgs
from components.gates.checks import Checks
from components.monitoring.alarms import Alarms, AlarmsArgs
from components.monitoring.flow_logs import FlowLogs, FlowLogsArgs
from components.naming import ParameterPaths, api_servers, etcd_members, worker_pools
from components.network.addressing import plan_zones
from components.network.placement import placement
from components.network.security_group_rules import groups, rules
from components.network.security_groups import SecurityGroups, SecurityGroupsArgs
from components.network.vpc import Network, NetworkArgs
from components.network.vpc_endpoints import VpcEndpoints, VpcEndpointsArgs
from components.nodes.instance_role import InstanceRole, InstanceRoleArgs
from components.nodes.node_credentials import NodeCredentials, NodeCredentialsArgs
from components.nodes.role_policy import Account
from components.nodes.secrets import NodeSecrets, NodeSecretsArgs
from components.pki.authorities import CertificateAuthority, ClusterPki, ClusterPkiArgs
from components.pki.certificates import api_server_certificates, member_certificates
from components.pki.issuance import Issuance
from components.pki.leaf_certificate import LeafCertificate, LeafCertificateArgs
from components.storage.bucket import ClusterBucket, ClusterBucketArgs
from components.storage.kms_key import EncryptionKey, EncryptionKeyArgs
from components.workers.pod_capacity import PodCapacity
from components.workers.worker_pool import WorkerPool, WorkerPoolArgs
from config import check
from tests.recording import REGION, SMALL, ZONES


def placed(settings):
    """The nodes of the settings over three zones."""
    return placement(settings, {zone: slot for slot, zone in enumerate(ZONES)}, {})


SETTINGS = check(SMALL, stack="alone")
ACCOUNT = Account("aws", REGION, "123456789012")
PATHS = ParameterPaths("alone")
PLACEMENT = placed(SETTINGS)
MEMBERS, SERVERS = etcd_members(SETTINGS, PLACEMENT), api_servers(SETTINGS, PLACEMENT)
KEY_ARN = f"arn:aws:kms:{REGION}:123456789012:key/0a"
TAGS = {"team": "platform"}


class Unasked:
    """An account of which nothing is asked while resources are registered."""


def given(value):
    """A value of another resource."""
    return pulumi.Output.from_input(value)


def issuance():
    return Issuance(lambda: datetime.now(UTC))


def ca():
    return CertificateAuthority(given("ca"), pulumi.Output.secret("key"), issuance().binding)


def gates():
    members = frozenset(member.name for member in MEMBERS)
    return Gates(
        GatesArgs(
            checks=Checks(cluster="alone", members=members, api_size=3, cloud=Unasked()),
            protect=True,
            timeout=timedelta(minutes=1),
            target_group_arn=given("arn:targets"),
        )
    )


def pki():
    return ClusterPki("alone", ClusterPkiArgs(ca_years=10, issuance=issuance(), protect=True))


def etcd_node():
    return EtcdNode(
        "alone-etcd-0",
        EtcdNodeArgs(
            member=MEMBERS[0],
            paths=PATHS,
            subnet_id=given("subnet"),
            security_group_id=given("sg"),
            placement_group=given("group"),
            image_id=given("ami"),
            instance_type="m6i.large",
            data_volume=SETTINGS.etcd.data_volume,
            kms_key_arn=given(KEY_ARN),
            ca=ca(),
            lifetime=SETTINGS.pki,
            policy=given("{}"),
            user_data=lambda volume_id: pulumi.Output.concat("data of ", volume_id),
            gates=gates(),
            depends_on=[],
            tags=TAGS,
        ),
    )


def etcd_tier(settings=SETTINGS):
    return EtcdTier(
        "alone",
        EtcdTierArgs(
            settings=settings,
            members=etcd_members(settings, placed(settings)),
            account=ACCOUNT,
            image_id=given("ami"),
            subnet_ids={zone: given(f"subnet-{zone}") for zone in ZONES},
            security_group_id=given("sg"),
            ca=ca(),
            kms_key_arn=given(KEY_ARN),
            bucket_name=given("bucket"),
            bucket_arn=given("arn:aws:s3:::bucket"),
            gates=gates(),
            tags=TAGS,
        ),
    )


def api_node():
    kubernetes = ca()
    return ApiNode(
        "alone-api-0",
        ApiNodeArgs(
            node=SERVERS[0],
            paths=PATHS,
            subnet_id=given("subnet"),
            security_group_id=given("sg"),
            placement_group=given("group"),
            image_id=given("ami"),
            instance_type="m6i.large",
            target_group_arn=given("arn:targets"),
            kms_key_arn=given(KEY_ARN),
            certificates=api_server_certificates(
                SERVERS[0],
                service_cidr=SETTINGS.network.service_cidr,
                dns_name=given("lb.example"),
            ),
            authorities={"kubernetes": kubernetes, "etcd": kubernetes, "front-proxy": kubernetes},
            lifetime=SETTINGS.pki,
            files={"ca.crt": given("ca")},
            policy=given("{}"),
            user_data=given("data"),
            gates=gates(),
            depends_on=[],
            tags=TAGS,
        ),
    )


def api_tier(settings=SETTINGS):
    return ApiServerTier(
        "alone",
        ApiServerTierArgs(
            settings=settings,
            servers=api_servers(settings, placed(settings)),
            account=ACCOUNT,
            image_id=given("ami"),
            subnet_ids={zone: given(f"subnet-{zone}") for zone in ZONES},
            security_group_id=given("sg"),
            pki=pki(),
            dns_name=given("lb.example"),
            target_group_arn=given("arn:targets"),
            kms_key_arn=given(KEY_ARN),
            bucket_name=given("bucket"),
            bucket_arn=given("arn:aws:s3:::bucket"),
            gates=gates(),
            tags=TAGS,
        ),
    )


def worker_pool(**pool):
    settings = check({"workers": {"general": {"min": 2, **pool}}}, stack="alone")
    (planned,) = worker_pools(settings, placed(settings))
    return WorkerPool(
        "alone-workers-general",
        WorkerPoolArgs(
            settings=settings,
            pool=planned,
            account=ACCOUNT,
            image_id=given("ami"),
            root_device="/dev/xvda",
            subnet_ids={zone: given(f"workers-{zone}") for zone in ZONES},
            security_group_id=given("sg"),
            api_url=given("https://lb.example:6443"),
            capacity=PodCapacity(prefixes=5, pods=80),
            kms_key_arn=given(KEY_ARN),
            bucket_name=given("bucket"),
            bucket_arn=given("arn:aws:s3:::bucket"),
            tags=TAGS,
        ),
    )


COMPONENTS = {
    "Network": lambda: Network(
        "alone",
        NetworkArgs(
            cidr=IPv4Network("10.0.0.0/16"),
            zones=plan_zones(IPv4Network("10.0.0.0/16"), PLACEMENT.slots),
            account=ACCOUNT,
            flow_log_days=7,
            tags=TAGS,
        ),
    ),
    "FlowLogs": lambda: FlowLogs(
        "alone",
        FlowLogsArgs(vpc_id=given("vpc"), account=ACCOUNT, keep_days=7, tags=TAGS),
    ),
    "SecurityGroups": lambda: SecurityGroups(
        "alone",
        SecurityGroupsArgs(
            vpc_id=given("vpc"),
            groups=groups(SETTINGS),
            rules=rules(SETTINGS, ()),
            tags=TAGS,
        ),
    ),
    "VpcEndpoints": lambda: VpcEndpoints(
        "alone",
        VpcEndpointsArgs(
            vpc_id=given("vpc"),
            subnet_ids=[given("subnet")],
            security_group_id=given("sg"),
            region=REGION,
            tags=TAGS,
        ),
    ),
    "EncryptionKey": lambda: EncryptionKey(
        "alone", EncryptionKeyArgs(account=ACCOUNT, protect=True, tags=TAGS)
    ),
    "ClusterBucket": lambda: ClusterBucket(
        "alone", ClusterBucketArgs(key_arn=given(KEY_ARN), protect=True, tags=TAGS)
    ),
    "ApiLoadBalancer": lambda: ApiLoadBalancer(
        "alone",
        ApiLoadBalancerArgs(
            vpc_id=given("vpc"),
            subnet_ids=[given("subnet")],
            security_group_id=given("sg"),
            tags=TAGS,
        ),
    ),
    "ClusterPki": pki,
    "LeafCertificate": lambda: LeafCertificate(
        "alone",
        LeafCertificateArgs(
            spec=member_certificates(MEMBERS[0])[0], ca=ca(), lifetime=SETTINGS.pki
        ),
    ),
    "InstanceRole": lambda: InstanceRole("alone", InstanceRoleArgs(policy=given("{}"), tags=TAGS)),
    "NodeSecrets": lambda: NodeSecrets(
        "alone",
        NodeSecretsArgs(
            path="/alone", files={"a": given("b")}, kms_key_arn=given(KEY_ARN), tags=TAGS
        ),
    ),
    "NodeCredentials": lambda: NodeCredentials(
        "alone",
        NodeCredentialsArgs(
            path="/alone",
            certificates=member_certificates(MEMBERS[0]),
            authorities={"etcd": ca()},
            lifetime=SETTINGS.pki,
            files={},
            kms_key_arn=given(KEY_ARN),
            policy=given("{}"),
            tags=TAGS,
        ),
    ),
    "Membership": lambda: Membership(
        "alone",
        MembershipArgs(members=MEMBERS, paths=PATHS, incarnation=given("0a"), tags=TAGS),
    ),
    "EtcdNode": etcd_node,
    "EtcdTier": etcd_tier,
    "ApiNode": api_node,
    "ApiServerTier": api_tier,
    "WorkerPool": worker_pool,
    "Alarms": lambda: Alarms(
        "alone",
        AlarmsArgs(
            cluster="alone",
            instance_ids={"etcd-0": given("i-0")},
            load_balancer=given("net/alone/1"),
            target_group=given("targetgroup/alone/1"),
            api_servers=3,
            key_arn=given(KEY_ARN),
            after=[],
            snapshot_minutes=15,
            tags=TAGS,
        ),
    ),
}
