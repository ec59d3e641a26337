"""Runs the real layer: eagerly, as one traced graph, or compiled by XLA; masks stay attached to the result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.lab.tensorflow import load

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "_keras_mask"


def prepared(execution: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call in this execution mode; it is traced or compiled once, at its first use.

    A mask is a Python attribute of a tensor, which a graph does not return: the traced function returns the masks with
    the result, and they are attached again.
    """
    if execution == "eager":
        return call
    compiled = load().function(partial(_with_masks, call), jit_compile=execution == "xla", autograph=False)
    return lambda *inputs: _attached(*compiled(*inputs))


def _with_masks(call: Callable[..., Any], *inputs: Any) -> tuple[Any, list[Any]]:
    result = call(*inputs)
    return result, [getattr(tensor, MASK, None) for tensor in load().nest.flatten(result)]


def _attached(result: Any, masks: list[Any]) -> Any:
    for tensor, mask in zip(load().nest.flatten(result), masks, strict=True):
        attach(tensor, mask)
    return result


def attach(tensor: Any, mask: Any) -> Any:
    """The tensor with a mask attached, as Keras does it (``keras/src/backend/common/masking.py``)."""
    if mask is not None:
        setattr(tensor, MASK, mask)
    return tensor


def run(execution: str, call: Callable[..., Any], *inputs: Any) -> Any:
    """The result of ``call`` on these inputs; the containers are the same in every execution mode."""
    return prepared(execution, call)(*inputs)
