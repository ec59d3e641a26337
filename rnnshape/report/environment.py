"""The versions and the device of an answer; TensorFlow and Keras are not imported for it."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from rnnshape.layers import release
from rnnshape.versions import installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.spec import Spec


def environment(
    spec: Spec,
    seen: Mapping[str, str] | None = None,
    device: str | None = None,
    execution: str | None = None,
    tf32: bool | None = None,
) -> dict[str, Any]:
    """The ``environment`` of a report.

    ``seen`` are the versions that ran; without it, the versions are the installed ones, with the release of Keras that
    was asked about.  ``device``, ``execution`` and ``tf32`` are None when nothing ran, ``tf32`` also without a GPU.
    """
    with release.of(spec.keras):
        versions = {**installed(), "keras": release.version(), **(seen or {})}
    where = {"device": device, "execution": execution, "tf32": tf32}
    return {**versions, "python": platform.python_version(), **where, "seed": spec.seed}
