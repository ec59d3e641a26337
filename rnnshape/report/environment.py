"""Which versions answered, and where: read without importing either."""

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
    """The contract's ``environment``: ``seen`` are the versions that ran, else those that are installed or asked about.

    What says where it ran is None when nothing ran, ``tf32`` also without a GPU.
    """
    with release.of(spec.keras):
        versions = {**installed(), "keras": release.version(), **(seen or {})}
    where = {"device": device, "execution": execution, "tf32": tf32}
    return {**versions, "python": platform.python_version(), **where, "seed": spec.seed}
