"""Node agent, which runs on the virtual machines: prepare, reconcile and report."""
