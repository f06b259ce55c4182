"""The emulated AWS: a moto server with the corrections that this program needs."""
