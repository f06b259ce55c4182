"""Alarms, the topic that they notify, and flow logs."""
