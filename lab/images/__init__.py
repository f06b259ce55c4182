"""Container images that pods of the lab run, made from its binaries and served under their real
names."""
