"""Which versions answer: read without importing TensorFlow or Keras."""

from __future__ import annotations

import json
import platform
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from rnnshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def installed() -> dict[str, str | None]:
    """The versions of what answers: TensorFlow's and Keras' are read without importing either."""
    return {
        "rnnshape": __version__,
        "tensorflow": _version("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"),
        "keras": _version("keras", "keras-nightly"),
    }


def running() -> dict[str, str | None]:
    """The versions of all that runs here, Python's too."""
    return {**installed(), "python": platform.python_version()}


def _version(*distributions: str) -> str | None:
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
