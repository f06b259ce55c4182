"""Finding of a fault: whether it took as long as promised, and whether data stayed right."""

from enum import Enum

from lab.proofs.load.fault_record import FaultRecord


class Finding(Enum):
    """How a fault ended, in a word."""

    MET = "met"
    MISSED = "missed"
    UNSAFE = "data wrong"
    """Worse than any stall: a write lost, a stale read, or a history that is not linearizable."""
    MEASURED = "measured"
    """Nothing was promised."""


def finding(fault: FaultRecord) -> Finding:
    """How a fault ended: the worst of its measures, and data before all."""
    if fault.lost or fault.stale or not fault.linearizable:
        return Finding.UNSAFE
    kept = [measure.met for measure in fault.measures if measure.met is not None]
    if not kept:
        return Finding.MEASURED
    return Finding.MET if all(kept) else Finding.MISSED
