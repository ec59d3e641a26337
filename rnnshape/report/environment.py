"""The versions and the device of an answer; TensorFlow and Keras are not imported for it."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from rnnshape.layers import release
from rnnshape.versions import installed

if TYPE_CHECKING:
    from rnnshape.lab.observe import Observation
    from rnnshape.spec import Spec


def environment(spec: Spec, ran: Observation | None = None) -> dict[str, Any]:
    """The ``environment`` of a report.

    The versions are those that ran.  When nothing ran, they are the installed ones, with the release of Keras that was
    asked about, and the other facts are None.
    """
    with release.of(spec.keras):
        versions = {**installed(), "keras": release.version(), **(ran.versions if ran else {})}
    where = {fact: getattr(ran, fact, None) for fact in ("device", "execution", "tf32")}
    return {**versions, "python": platform.python_version(), **where, "seed": spec.seed}
