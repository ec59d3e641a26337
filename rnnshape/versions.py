"""The installed versions, read without importing TensorFlow or Keras."""

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
    """The versions of rnnshape, TensorFlow and Keras; None for a package that is not installed."""
    return {
        "rnnshape": __version__,
        "tensorflow": version_of("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"),
        "keras": tf_keras() if legacy() else keras_3(),
    }


def legacy() -> bool:
    """Whether ``tf.keras`` is set to Keras 2 (``TF_USE_LEGACY_KERAS``, read by ``tensorflow/__init__.py``)."""
    return os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")


@cache
def keras_3() -> str | None:
    """The installed version of Keras 3; None if it is not installed."""
    return version_of("keras", "keras-nightly")


@cache
def tf_keras() -> str | None:
    """The installed version of tf_keras, which is Keras 2; None if it is not installed."""
    return version_of("tf_keras", "tf_keras-nightly")


def running() -> dict[str, str | None]:
    """The installed versions, with that of Python."""
    return {**installed(), "python": platform.python_version()}


def version_of(*distributions: str) -> str | None:
    """The version of the first of these distributions that is installed; None without one.

    It is read from the name of the ``dist-info`` folder, because importing ``importlib.metadata`` takes long.
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
    """The hint of an internal error: what to report, with the versions and the run as data or the command."""
    versions = ", ".join(f"{name} {version}" for name, version in running().items())
    said = asked if isinstance(asked, str) else json.dumps(asked, default=str)
    return f"please report this line, the versions ({versions}) and the request: {said}"
