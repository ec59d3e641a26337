"""Decides which words on a command line are names of files, not code.

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
    """Whether this is the name of a file of code: a module, a notebook, or a page in Markdown with code."""
    return "\n" not in text and text.lower().endswith((".py", ".ipynb", ".md"))


def why_not_read(text: str) -> str | None:
    """Why the file or folder of this name is not read as code; None if it is not such a name."""
    if not text.strip() or "\n" in text or "(" in text:
        return None
    try:
        path = Path(text)
        if path.is_dir():
            return f"{text} is a folder, and not a SavedModel: name a file in it, or use rnnshape scan {text}"
        if path.exists() and path.is_file() and (is_code(text) or is_saved(text)):
            return f"{text} is a file, and a layer as written in Keras is expected here: rnnshape show {text} reads it"
        if path.exists():
            known = "code is .py, .ipynb or .md, a saved model .keras, .h5, .hdf5 or .json"
            return f"{text} is not read: {known}; rnnshape show - reads code from standard input"
    except (OSError, ValueError):
        return None
    return f"{text}: there is no such file" if "/" in text and " " not in text else None


def _is_folder(text: str) -> bool:
    try:
        return (Path(text) / METADATA).is_file() or (Path(text) / "saved_model.pb").is_file()
    except (OSError, ValueError):
        return False
