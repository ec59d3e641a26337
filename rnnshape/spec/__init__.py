"""What was asked, as one frozen value, from whichever way it was written."""

from rnnshape.spec.spec import Spec, make

__all__ = ["Spec", "make"]
