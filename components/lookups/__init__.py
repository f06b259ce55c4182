"""What must be asked of AWS before any resource, and what the cluster recorded when it was made."""
