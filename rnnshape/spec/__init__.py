"""The request as data: ``Spec``, the commands, the options of a run, and the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnshape.spec.spec import Spec as Spec

__all__ = ["Spec"]


def __getattr__(name: str) -> Any:
    """Import ``Spec`` on first use: ``--help`` needs only the options in this package."""
    if name != "Spec":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rnnshape.spec.spec import Spec

    return Spec
