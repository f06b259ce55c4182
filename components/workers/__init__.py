"""Pools of workers: the machines that applications run on."""
