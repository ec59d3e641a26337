"""The lattice of ``rnnshape audit``: which layers to ask, from the table, as the runs of a batch."""

from rnnshape.audit.axes import audited
from rnnshape.audit.runs import lattice

__all__ = ["audited", "lattice"]
