"""Checks ``autocast=False``: theory supports it only if no tensor has to be cast.

Keras uses it twice in ``layers/layer.py: Layer.__call__`` (read in 3.15.1): it decides whether inputs are cast to the
layer's dtype, and whether weights are cast under the mixed policy of a layer around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from rnnshape.errors import Problem
from rnnshape.layers.base import compute_dtype
from rnnshape.layers.objects import Made
from rnnshape.layers.release import KERAS_3, asked, change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import Node


def unlike_activations(node: Node) -> Iterator[Problem]:
    """Reject activation layers that compute in another dtype than the layer around them.

    Keras casts the input of such a layer to its own dtype, and does not cast the result back.
    """
    for around in node.walk():
        if not around.has("dtype"):
            continue
        dtype = compute_dtype(around["dtype"])
        for name, value in (pair for part in around.walk() for pair in part.given):
            if isinstance(value, Made) and value.what == "activation" and compute_dtype(value["dtype"]) != dtype:
                what = f"{value.name} must compute in {dtype}, as {around.name} around it does"
                yield Problem("", f"{name}: {what}: write {value.name}(…, dtype={dtype!r})")


class _Around(Struct, frozen=True):
    """The context of a layer's call: the dtypes of its inputs, and whether a layer around it has a mixed policy."""

    dtypes: frozenset[str] = frozenset()
    mixed: bool = False


def without_autocast(node: Node) -> Iterator[Problem]:
    """Reject a tree with ``autocast=False`` in a layer that would get two dtypes."""
    if not _in_turn(node, _Around()):
        yield Problem("autocast", "must be True when a layer gets an input of another dtype")


def _in_turn(node: Node, around: _Around) -> bool:
    """Whether theory can follow the layers of a stack, or a single layer, with these dtypes."""
    layers = (part for one in node.in_turn for part in one.in_turn)  # a graph may call a model
    for layer in (part for part in layers if not part.cls.operation):
        if not _follows(layer, around):
            return False
        around = _Around(frozenset((compute_dtype(layer["dtype"]),)), around.mixed)
    return True


def _follows(node: Node, around: _Around, *, called: bool = True) -> bool:
    policy = node["dtype"] or "float32"
    own, mixed = compute_dtype(policy), policy.startswith("mixed_")
    if called and node.has("autocast") and not node["autocast"] and (around.dtypes - {own} or around.mixed):
        return False
    within = _Around(frozenset((own,)), around.mixed or mixed) if called else around
    if node.name == "TimeDistributed":
        if node["layer"].cls.kind == "stack":
            # A Sequential casts its input to the dtype of its first layer.
            return _in_turn(node["layer"], _Around(mixed=within.mixed))
        if asked() < KERAS_3:  # it calls the layer on its own input
            return _in_turn(node["layer"], _Around(frozenset((own,)), within.mixed))
        # It runs the inner layer's ``call`` without ``__call__``.
        return _follows(node["layer"], within, called=False)
    if node.name == "Bidirectional":
        # The layer is rebuilt from its config, which does not have autocast.
        return node["backward_layer"] is None or _follows(node["backward_layer"], within)
    if node.has("cells"):
        # RNN also calls the cells of a stack alone, once, with the stack's input.
        within = replace(within, dtypes=within.dtypes | around.dtypes)
    for cell in node.children:
        if not _follows(cell, within):
            return False
        if node.has("cells"):
            # The next cell gets this one's output, and states in the stack's dtype.
            within = replace(within, dtypes=frozenset((own, _returned(cell))))
    return True


def _returned(cell: Node) -> str:
    """The dtype of a cell's output; a stack returns the output of its last cell."""
    return _returned(cell["cells"][-1]) if cell.has("cells") and cell["cells"] else compute_dtype(cell["dtype"])


_KEPT_IN_CAST = change(
    "3.14",
    "a layer that casts its input to its own dtype still gets the mask attached to it",
    "layers/layer.py: Layer.__call__, maybe_convert",
    in_2=True,
)


def loses_mask(dtype: str, node: Node) -> bool:
    """Whether a layer loses the mask attached to a tensor of this dtype, because it casts the tensor."""
    casts = node.has("autocast") and node["autocast"] and compute_dtype(node["dtype"]) != dtype
    return casts and not _KEPT_IN_CAST.made


def reaching(mask: Mask | None, dtype: str, node: Node) -> Mask | None:
    """The mask that a layer gets with a tensor of this dtype."""
    return None if mask is not None and not mask.argument and loses_mask(dtype, node) else mask
