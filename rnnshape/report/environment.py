"""Which versions answered, and where: read without importing either."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import rnnshape

if TYPE_CHECKING:
    from rnnshape.spec import Spec


def environment(
    spec: Spec,
    versions: dict[str, str | None],
    device: str | None = None,
    execution: str | None = None,
    tf32: bool | None = None,
) -> dict[str, Any]:
    """The contract's ``environment``; what says where it ran is None when nothing ran, ``tf32`` also without a GPU."""
    python = platform.python_version()
    where = {"device": device, "execution": execution, "tf32": tf32}
    return {**versions, "python": python, **where, "seed": spec.seed}


@cache
def installed() -> dict[str, str | None]:
    """The versions of what answers: TensorFlow's and Keras' are read without importing either."""
    return {
        "rnnshape": rnnshape.__version__,
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
