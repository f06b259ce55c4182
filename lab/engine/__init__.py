"""Pulumi engine for the lab: the CLI, the Python language host and the providers."""
