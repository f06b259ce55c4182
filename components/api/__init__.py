"""The API server tier and the load balancer in front of it."""
