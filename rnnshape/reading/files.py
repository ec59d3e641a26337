"""Which words on a command line are the name of a file, and not code.

>>> is_saved("model.keras"), is_code("train.py"), is_saved("LSTM(8)")
(True, True, False)
"""

from __future__ import annotations

from pathlib import Path

HDF5 = (".h5", ".hdf5")
KERAS = ".keras"
JSON = ".json"
METADATA = "keras_metadata.pb"


def is_saved(text: str) -> bool:
    """Whether this is the name of a saved model: ``model.keras``, ``model.h5``, a SavedModel's folder."""
    if "\n" in text:
        return False
    if text.lower().endswith((KERAS, *HDF5, JSON)):
        return True
    return "(" not in text and (text.endswith("/") or _is_folder(text))


def is_code(text: str) -> bool:
    """Whether this is the name of a file of code, a module or a notebook."""
    return "\n" not in text and text.lower().endswith((".py", ".ipynb"))


def _is_folder(text: str) -> bool:
    try:
        return (Path(text) / METADATA).is_file() or (Path(text) / "saved_model.pb").is_file()
    except (OSError, ValueError):
        return False
