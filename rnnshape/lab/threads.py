"""How many threads TensorFlow may use, for a process that shares its machine with others like it."""

from __future__ import annotations

import os


def hold_threads(threads: int) -> None:
    """Hold TensorFlow to this many threads; to be called before TensorFlow is loaded in this process.

    Left alone, each of N processes makes as many threads as there are cores, and they push each other aside.
    TensorFlow reads both variables when it makes its pools (``tensorflow/core/common_runtime/process_util.cc``);
    one that the user has set stays.
    """
    for pool in ("INTRAOP", "INTEROP"):
        os.environ.setdefault(f"TF_NUM_{pool}_THREADS", str(threads))
