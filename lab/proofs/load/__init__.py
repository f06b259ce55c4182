"""Load of many clients on the API during a proof: what they saw, and what follows from it."""
