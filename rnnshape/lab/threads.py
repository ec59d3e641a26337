"""Limits the threads of TensorFlow in a process that shares its machine with others like it."""

from __future__ import annotations

import os


def hold_threads(threads: int) -> None:
    """Limit TensorFlow to this many threads; call it before TensorFlow is loaded in this process.

    Otherwise each of N processes makes as many threads as there are cores, and they slow each other down.
    TensorFlow reads both variables when it makes its pools (``tensorflow/core/common_runtime/process_util.cc``).
    A variable that the user has set is not changed.
    """
    for pool in ("INTRAOP", "INTEROP"):
        os.environ.setdefault(f"TF_NUM_{pool}_THREADS", str(threads))
