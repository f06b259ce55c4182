"""Recovery of a stack whose update was killed: what was being created is found in AWS and recorded.

An operator's tool, for a real account as well as for the lab: `python -m recovery`.
"""
