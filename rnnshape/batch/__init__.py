"""Many runs from files or from a pipe, one row each, in the order given."""

from rnnshape.batch.resume import Former
from rnnshape.batch.rows import Failure, Row, Tally, rows
from rnnshape.batch.runs import Run, from_files, from_stream

__all__ = ["Failure", "Former", "Row", "Run", "Tally", "from_files", "from_stream", "rows"]
