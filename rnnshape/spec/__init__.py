"""What was asked, as one frozen value, from whichever way it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnshape.spec.spec import Spec, make

__all__ = ["Spec", "make"]


def __getattr__(name: str) -> Any:
    """``--help`` needs the names of the options, which stand beside, and not the reader of expressions."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rnnshape.spec import spec

    return getattr(spec, name)
