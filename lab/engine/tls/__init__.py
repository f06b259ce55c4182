"""The tls provider stand-in: keys, requests and certificates as pulumi-tls makes them."""
