"""The etcd tier: its members, their addresses and the membership that nodes follow."""
