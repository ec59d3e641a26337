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
    spec: Spec, versions: dict[str, str | None], device: str | None, execution: str | None
) -> dict[str, Any]:
    """The contract's ``environment``; ``device`` and ``execution`` are None when nothing ran."""
    python = platform.python_version()
    return {**versions, "python": python, "device": device, "execution": execution, "seed": spec.seed}


@cache
def installed() -> dict[str, str | None]:
    """The versions of what answers: TensorFlow's and Keras' are read without importing either."""
    return {
        "rnnshape": rnnshape.__version__,
        "tensorflow": _version("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"),
        "keras": _version("keras", "keras-nightly"),
    }


def _version(*distributions: str) -> str | None:
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None
