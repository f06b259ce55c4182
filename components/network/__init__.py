"""The network: VPC, subnets, addresses, security groups, endpoints, and the way in for people."""
