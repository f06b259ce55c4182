"""The CAs, the certificates that they sign, and documents made of both."""
