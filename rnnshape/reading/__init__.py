"""Everything that turns what people write into a Spec: expressions, files, lines of a pipe.  Nothing is evaluated."""

from rnnshape.reading.making import make

__all__ = ["make"]
