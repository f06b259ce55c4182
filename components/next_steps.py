"""Next steps of people once a cluster is up: commands and sentences, from the settings. Pure."""

from ipaddress import IPv4Network

from components.network.security_group_rules import rules
from config import ClusterSettings

KUBECONFIG = "umask 077; pulumi stack output kubeconfig --show-secrets > kubeconfig"


def next_steps(
    settings: ClusterSettings, *, region: str, api_url: str, instance_id: str, topic_arn: str
) -> dict[str, str]:
    """What to do first, by what it is about; `instance_id` is of a machine, as an example."""
    return {
        "kubeconfig": KUBECONFIG,
        "api": _api(settings, api_url),
        "machines": _machines(settings, region, instance_id),
        "alarms": (
            f"aws sns subscribe --region {region} --topic-arn {topic_arn} "
            "--protocol email --notification-endpoint <address>"
        ),
    }


def _api(settings: ClusterSettings, api_url: str) -> str:
    """Who may reach the load balancer."""
    admitted = ", ".join(
        str(rule.peer)
        for rule in rules(settings)
        if (rule.group, rule.direction) == ("balancer", "ingress")
        and isinstance(rule.peer, IPv4Network)
    )
    if settings.api.internal:
        return (
            f"{api_url} has private addresses: reach it from the VPC or a network that is "
            f"connected to it; its security group admits {admitted}, API servers and workers"
        )
    return (
        f"{api_url} has public addresses; "
        f"its security group admits {admitted}, API servers and workers"
    )


def _machines(settings: ClusterSettings, region: str, instance_id: str) -> str:
    """How to get into a machine."""
    if settings.operator_access == "none":
        return (
            "no machine admits SSH: set operatorAccess to instance-connect, and operatorKeys, "
            "and run pulumi up; no machine is replaced"
        )
    return (
        f"aws ec2-instance-connect ssh --region {region} --instance-id {instance_id} "
        "--os-user admin --connection-type eice --private-key-file <key of operatorKeys>"
    )
