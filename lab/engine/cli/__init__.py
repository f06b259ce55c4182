"""Pulumi's CLI, built from its Go module where none is installed."""
