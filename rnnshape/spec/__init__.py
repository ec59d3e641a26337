"""What was asked, as one frozen value, from whichever way it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnshape.spec.spec import Spec as Spec

__all__ = ["Spec"]


def __getattr__(name: str) -> Any:
    """``--help`` needs the names of the options, which stand beside, and not all that a Spec is made of."""
    if name != "Spec":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rnnshape.spec.spec import Spec

    return Spec
