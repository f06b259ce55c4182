"""The proofs: what is claimed of a cluster, on machines that boot for real.

They run on one lab, in the order of their files: `python -m lab prove`. A proof fails when its
claim does. Where this computer cannot do a thing, it is skipped with the reason.
"""
