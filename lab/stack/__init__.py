"""The stack of the lab: its environment, its update, its progress, its outputs."""
