"""Many runs from files or from a pipe, one row each, in the order given."""

from rnnshape.batch.rows import Row, rows
from rnnshape.batch.runs import Run, from_files, from_lines

__all__ = ["Row", "Run", "from_files", "from_lines", "rows"]
