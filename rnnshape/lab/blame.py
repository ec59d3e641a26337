"""Whose error it is: what Keras and TensorFlow raise is an answer, what the lab raises is a bug of ours."""

from __future__ import annotations

import re
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnnshape.lab.tensorflow import keras, load
from rnnshape.layers.release import KERAS_3, asked

if TYPE_CHECKING:
    from collections.abc import Iterator

# What Keras and TensorFlow put round the reason of an error.
_WRAPPING = re.compile(
    r"^Exception encountered when calling (layer )?(\S+\.|'[^']*' \(type \w+\)\.)\s*|\{\{function_node .*?\}\}\s*"
    r"|\s*Arguments received by .*|\s*Call arguments received by .*|\s*; NodeDef: .*|\s*\[Op:\w+\].*",
    re.DOTALL,
)
_OURS = "rnnshape"
_THEIRS = ("keras", "tf_keras", "tensorflow")


def is_keras(error: Exception) -> bool:
    """Whether Keras or TensorFlow raised this, told by the innermost frame that is theirs or ours.

    What the lab hands to NumPy is the lab's, and so is a function of the lab that Keras calls back.
    """
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in (_OURS, *_THEIRS):
            return package in _THEIRS
    return False


@contextmanager
def whole_tracebacks() -> Iterator[None]:
    """Meanwhile Keras and TensorFlow leave their own frames in a traceback: ``is_keras`` asks for the innermost."""
    tensorflow = load()
    filters = [tensorflow.debugging]
    if asked() >= KERAS_3:  # Keras 2 asks TensorFlow
        filters.append(keras().config)
    on = [each for each in filters if each.is_traceback_filtering_enabled()]
    for each in on:
        each.disable_traceback_filtering()
    try:
        yield
    finally:
        for each in on:
            each.enable_traceback_filtering()


def reason(error: BaseException) -> str:
    """Keras' own words, without the frame that stands round every error of a call."""
    text = _WRAPPING.sub("", str(error).replace("\x1b[1m", "").replace("\x1b[0m", "").strip()).strip()
    # Behind a blank line TensorFlow writes out whole structures, and the numbers in them.
    return text.partition("\n\n")[0] or type(error).__name__
