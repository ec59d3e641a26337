"""Everything that turns what people write into a Spec: expressions, files, lines of a pipe.  Nothing is evaluated."""

from rnnshape.reading.making import make, make_all

__all__ = ["make", "make_all"]
