"""Stack outputs, by who needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.naming import ApiServer, EtcdMember
from components.workers.pod_capacity import PodCapacity
from config import ClusterSettings
from config.quorum import Quorum
from config.types import format_duration


@dataclass(frozen=True, kw_only=True)
class ClusterOutputs:
    """The outputs of a cluster."""

    api_url: pulumi.Output[str]
    """For kubelets and people: the URL of the Kubernetes API."""
    ca_certificate: pulumi.Output[str]
    """For kubelets and people: what verifies the Kubernetes API."""
    kubeconfig: pulumi.Output[str]
    """For people, secret: an administrator's kubeconfig."""
    etcd: Mapping[str, Any]
    """For people: the quorum arithmetic and the members' client URLs."""
    controllers: Mapping[str, str]
    """For people: the timings of leader election."""
    nodes: Mapping[str, Mapping[str, pulumi.Input[str]]]
    """For people: zone, address and instance id of every instance."""
    workers: Mapping[str, Any]
    """For autoscalers: the Auto Scaling groups of each pool, and the most pods of a machine."""
    alarm_topic_arn: pulumi.Output[str]
    """For people: the SNS topic to subscribe to."""
    workers_security_group_id: pulumi.Output[str]
    """For workers: the security group that their network interfaces belong to."""
    next_steps: pulumi.Output[dict[str, str]]
    """For people: how to get the kubeconfig, reach the API and machines, and hear alarms."""

    def by_name(self) -> dict[str, Any]:
        """Every output under the name that the component and the stack have it by."""
        return {
            "apiUrl": self.api_url,
            "caCertificate": self.ca_certificate,
            "kubeconfig": pulumi.Output.secret(self.kubeconfig),
            "etcd": self.etcd,
            "controllers": self.controllers,
            "nodes": self.nodes,
            "workers": self.workers,
            "alarmTopicArn": self.alarm_topic_arn,
            "workersSecurityGroupId": self.workers_security_group_id,
            "nextSteps": self.next_steps,
        }


def etcd_output(quorum: Quorum, members: tuple[EtcdMember, ...]) -> dict[str, Any]:
    """The size, what of it may fail, and where the members listen."""
    return {
        "size": quorum.size,
        "quorum": quorum.quorum,
        "membersPerZone": list(quorum.members_per_zone),
        "membersThatMayFail": quorum.members_that_may_fail,
        "zonesThatMayFail": quorum.zones_that_may_fail,
        "endpoints": [member.client_url for member in members],
    }


def controllers_output(settings: ClusterSettings) -> dict[str, str]:
    """The timings of leader election, as the flags have them."""
    controllers = settings.controllers
    return {
        "leaseDuration": format_duration(controllers.lease_duration),
        "renewDeadline": format_duration(controllers.renew_deadline),
        "retryPeriod": format_duration(controllers.retry_period),
    }


def nodes_output(
    members: tuple[EtcdMember, ...],
    nodes: tuple[ApiServer, ...],
    *,
    instance_ids: Mapping[str, pulumi.Input[str]],
    api_addresses: Mapping[str, pulumi.Input[str]],
) -> dict[str, dict[str, pulumi.Input[str]]]:
    """Every instance by name."""
    zones = {member.name: member.zone for member in members}
    zones |= {node.name: node.zone for node in nodes}
    addresses: dict[str, pulumi.Input[str]] = {
        **{member.name: str(member.address) for member in members},
        **api_addresses,
    }
    return {
        name: {"zone": zone, "address": addresses[name], "instanceId": instance_ids[name]}
        for name, zone in zones.items()
    }


def workers_output(
    group_names: Mapping[str, Sequence[pulumi.Input[str]]], capacities: Mapping[str, PodCapacity]
) -> dict[str, dict[str, Any]]:
    """Every pool by name."""
    return {
        pool: {"groups": list(names), "podsPerMachine": capacities[pool].pods}
        for pool, names in group_names.items()
    }
