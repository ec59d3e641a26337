"""Makes Specs from what people write: expressions, files, lines of a pipe.  Nothing is evaluated."""

from rnnshape.reading.making import make, make_all

__all__ = ["make", "make_all"]
