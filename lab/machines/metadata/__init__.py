"""The instance metadata service: what a machine can ask about itself."""
