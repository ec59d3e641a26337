"""How the real layer is run: step by step, as one traced graph, or compiled by XLA; the result has its mask in all."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.lab.tensorflow import load

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "_keras_mask"


def prepared(execution: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call in this way of running, traced or compiled at its first use and not again.

    A mask is a Python attribute of a tensor, which a graph does not return: the traced function returns the masks
    beside the result, and they are attached to it again.
    """
    if execution == "eager":
        return call
    compiled = load().function(partial(_with_masks, call), jit_compile=execution == "xla", autograph=False)
    return lambda *inputs: _hung(*compiled(*inputs))


def _with_masks(call: Callable[..., Any], *inputs: Any) -> tuple[Any, list[Any]]:
    result = call(*inputs)
    return result, [getattr(tensor, MASK, None) for tensor in load().nest.flatten(result)]


def _hung(result: Any, masks: list[Any]) -> Any:
    for tensor, mask in zip(load().nest.flatten(result), masks, strict=True):
        hang(tensor, mask)
    return result


def hang(tensor: Any, mask: Any) -> Any:
    """The tensor with a mask attached, as Keras does it (``keras/src/backend/common/masking.py``)."""
    if mask is not None:
        setattr(tensor, MASK, mask)
    return tensor


def run(execution: str, call: Callable[..., Any], *inputs: Any) -> Any:
    """What ``call`` returns on these inputs; the containers are the same in every way of running."""
    return prepared(execution, call)(*inputs)
