"""Agent of a worker: joining, the pods' network, and eviction before the instance ends."""
