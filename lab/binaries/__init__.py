"""Real binaries for the tests and the lab, built from their Go modules and cached."""
