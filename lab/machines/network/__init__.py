"""The VPC's network: namespaces, bridges, addresses, names, faults."""
