"""What nodes of both tiers have in common: instance, role, secrets, status, agent."""
