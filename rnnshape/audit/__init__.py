"""The runs of ``rnnshape audit``: layers made from the table, as runs of a batch."""

from rnnshape.audit.axes import audited
from rnnshape.audit.runs import lattice

__all__ = ["audited", "lattice"]
