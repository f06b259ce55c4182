"""Cluster agent: what the control plane does in Kubernetes for its workers."""
