"""API tier: what only API servers do, and only they carry."""
