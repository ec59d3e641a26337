"""Many runs from files or from a pipe, one row each, in the order given."""

from rnnshape.batch.resume import former_rows
from rnnshape.batch.rows import Failure, Row, Tally, rows
from rnnshape.batch.runs import Run, from_files, from_stream

__all__ = ["Failure", "Row", "Run", "Tally", "former_rows", "from_files", "from_stream", "rows"]
