"""Many runs, one row each, in the order given: in this process, in several processes, or on a cluster."""

from rnnshape.batch.resume import former_rows
from rnnshape.batch.rows import rows
from rnnshape.batch.written import written

__all__ = ["former_rows", "rows", "written"]
