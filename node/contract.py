"""What the program and the nodes must agree on, written once: `components/` reads it too."""


def metric_namespace(cluster: str) -> str:
    """CloudWatch namespace of what the nodes of a cluster report.

    One for each cluster: IAM can restrict the namespace of a metric and not its dimensions, so in a
    shared one the nodes of one cluster could keep the alarms of another silent.
    """
    return f"ha-kubernetes/{cluster}"
