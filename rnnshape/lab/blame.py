"""Whose error it is: what Keras and TensorFlow raise is an answer, what the lab raises is a bug of ours."""

from __future__ import annotations

import traceback

_OURS = "rnnshape"
_THEIRS = ("keras", "tensorflow")


def is_keras(error: Exception) -> bool:
    """Whether Keras or TensorFlow raised this, told by the innermost frame that is theirs or ours.

    What the lab hands to NumPy is the lab's, and so is a function of the lab that Keras calls back.  Both filter
    their own frames out of a traceback, but not the one that did the filtering.
    """
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in (_OURS, *_THEIRS):
            return package in _THEIRS
    return False
