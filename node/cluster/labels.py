"""Label of everything that the cluster agent makes in Kubernetes."""

from collections.abc import Mapping

MANAGED_BY = "app.kubernetes.io/managed-by"
LABELS: Mapping[str, str] = {MANAGED_BY: "ha-kubernetes"}
SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())
"""The labels as a query has them."""
