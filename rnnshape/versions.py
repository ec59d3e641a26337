"""Which versions answer: read without importing TensorFlow or Keras."""

from __future__ import annotations

import json
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def installed() -> dict[str, str | None]:
    """The versions of what answers: TensorFlow's and Keras' are read without importing either."""
    return {
        "rnnshape": __version__,
        "tensorflow": version_of("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"),
        "keras": tf_keras() if legacy() else keras_3(),
    }


def legacy() -> bool:
    """Whether ``tf.keras`` is asked to be Keras 2 (``TF_USE_LEGACY_KERAS``, read by ``tensorflow/__init__.py``)."""
    return os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")


@cache
def keras_3() -> str | None:
    """The version of Keras 3 that is installed."""
    return version_of("keras", "keras-nightly")


@cache
def tf_keras() -> str | None:
    """The version of tf_keras that is installed, which is Keras 2."""
    return version_of("tf_keras", "tf_keras-nightly")


def running() -> dict[str, str | None]:
    """The versions of all that runs here, Python's too."""
    return {**installed(), "python": platform.python_version()}


def version_of(*distributions: str) -> str | None:
    """The version of the first of these that is installed.

    It stands in the name of a folder; ``importlib.metadata`` knows other ways too, and takes long to import.
    """
    for name in distributions:
        for folder in sys.path:
            for found in Path(folder).glob(f"{name.replace('-', '_')}-*.dist-info"):
                return found.stem.rpartition("-")[2]
    from importlib import metadata

    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def report_it(asked: Mapping[str, Any] | str | None) -> str:
    """What to say where a bug of rnnshape is reported: the versions, and the run as data or the command."""
    versions = ", ".join(f"{name} {version}" for name, version in running().items())
    said = asked if isinstance(asked, str) else json.dumps(asked, default=str)
    return f"please report this line, the versions ({versions}) and the request: {said}"
