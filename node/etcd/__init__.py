"""etcd tier: what only its members do, and only they carry."""
