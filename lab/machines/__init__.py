"""EC2 instances as machines: systemd-nspawn on network namespaces, as the emulated AWS wants
them."""
