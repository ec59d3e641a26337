"""The lattice of ``rnnshape audit``: which layers to ask, from the table, as the runs of a batch."""

from rnnshape.audit.runs import lattice

__all__ = ["lattice"]
