"""What was asked, as one frozen value, from whichever way it was written."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnshape.spec.making import make as make
    from rnnshape.spec.spec import Spec as Spec

_IN = {"Spec": "spec", "make": "making"}
__all__ = ["Spec", "make"]


def __getattr__(name: str) -> Any:
    """``--help`` needs the names of the options, which stand beside, and not the reader of expressions."""
    if name not in _IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"rnnshape.spec.{_IN[name]}"), name)
