"""The KMS key and the bucket of a cluster."""
