"""Which versions answered, and where: read without importing either."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

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
