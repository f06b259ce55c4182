"""What runs on the virtual machines: prepare, reconcile and report."""
