"""Decides who raised an exception: one of Keras or TensorFlow is an answer, one of the lab is a bug of rnnshape."""

from __future__ import annotations

import re
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnnshape.lab.tensorflow import keras, load
from rnnshape.layers.release import KERAS_3, asked

if TYPE_CHECKING:
    from collections.abc import Iterator

# The text that Keras and TensorFlow add around the reason of an error.
_WRAPPING = re.compile(
    r"^Exception encountered when calling (layer )?(\S+\.|'[^']*' \(type \w+\)\.)\s*|\{\{function_node .*?\}\}\s*"
    r"|\s*Arguments received by .*|\s*Call arguments received by .*|\s*; NodeDef: .*|\s*\[Op:\w+\].*",
    re.DOTALL,
)
_OURS = "rnnshape"
_THEIRS = ("keras", "tf_keras", "tensorflow")


def is_keras(error: Exception) -> bool:
    """Whether Keras or TensorFlow raised this, by the innermost frame that is theirs or ours.

    An error of NumPy in a call from the lab counts as the lab's, and so does one of a function that Keras calls back.
    """
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in (_OURS, *_THEIRS):
            return package in _THEIRS
    return False


@contextmanager
def whole_tracebacks() -> Iterator[None]:
    """Make Keras and TensorFlow keep their own frames in tracebacks: ``is_keras`` needs the innermost one."""
    tensorflow = load()
    filters = [tensorflow.debugging]
    if asked() >= KERAS_3:  # Keras 2 uses the setting of TensorFlow
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
    """The message of an error without the text that Keras and TensorFlow add around it."""
    text = _WRAPPING.sub("", str(error).replace("\x1b[1m", "").replace("\x1b[0m", "").strip()).strip()
    # After a blank line, TensorFlow prints whole structures with their values.
    return text.partition("\n\n")[0] or type(error).__name__
