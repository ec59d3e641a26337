"""Errors of Keras with dropout (read in 3.15.1; ``docs/keras-quirks.md``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.base import Refusal, compute_dtype
from rnnshape.layers.release import KERAS_3, asked, change, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Given
    from rnnshape.layers.node import Node

DROPS_OUTSIDE = change(
    "3.4",
    "dropout does not prevent cuDNN: the layer applies it to the input before the kernel runs",
    "layers/rnn/lstm.py, gru.py: inner_loop",
    in_2=True,
)
_IN_TRAINING = change(
    "3.9",
    "before it runs cuDNN, a layer applies dropout in training only; from 3.4 to 3.8, in every call",
    "layers/rnn/lstm.py, gru.py: inner_loop",
    in_2=True,
)
_BY_GATES = change(
    "3.8",
    "with implementation=1 LSTM and GRU draw a dropout mask for each gate",
    "layers/rnn/lstm.py, gru.py: dropout_mask_count",
)


_DROPS_ALL = change(
    "3.14",
    "a layer can drop everything, with a rate of 1; before, TensorFlow rejects the rate when the layer makes its mask: "
    "in training, and in every call of a recurrent layer",
    "backend/tensorflow/random.py: dropout",
)
_IF_USED = change(
    "3.8",
    "LSTMCell and GRUCell make only the dropout masks that they use, and a rate of 1 uses none",
    "layers/rnn/lstm.py, gru.py: LSTMCell.call, GRUCell.call",
)


def all_dropped(node: Node, *, makes_mask: bool) -> Iterator[Refusal]:
    """The error of a rate of 1 before Keras 3.14, in a call in which the layer makes its dropout mask."""
    rates = (node[name] for name in ("rate", "dropout", "recurrent_dropout") if node.has(name))
    if makes_mask and not _DROPS_ALL.made and 1 in rates:
        message = "ValueError: `rate` must be a scalar tensor or a float in the range [0, 1)"
        yield Refusal(message, f"use a rate below 1, or Keras {dotted(_DROPS_ALL.since)}")


def all_dropped_by_cell(node: Node, given: Given) -> Iterator[Refusal]:
    """The same error of a cell that is called by itself."""
    always = asked() >= KERAS_3 and not (_IF_USED.made and node.name in ("LSTMCell", "GRUCell"))
    yield from all_dropped(node, makes_mask=always or (given.training and asked() < KERAS_3))


def refusals(node: Node, given: Given, cell: Node | None = None) -> Iterator[Refusal]:
    """The known errors of a recurrent layer with dropout, with this ``cell`` (None: LSTM, GRU or SimpleRNN)."""
    for part in _computing(cell or node):
        yield from all_dropped(part, makes_mask=given.training or asked() >= KERAS_3)
    if cell is None and by_gates(node, training=given.training):
        yield Refusal(
            "InvalidArgumentError: with implementation=1 there is a dropout mask for each gate, but Keras uses the "
            "list of them as one mask",
            "use implementation=2, or use_cudnn=False",
        )
    if not given.training:
        return
    comes = compute_dtype(node["dtype"]) if given.within is None else given.dtype
    for part in _computing(cell or node):
        own, states = compute_dtype(part["dtype"]), compute_dtype((cell or node)["dtype"])
        for name, mask in (("dropout", comes), ("recurrent_dropout", states)):
            if _drops(part, name) and mask != own:
                yield Refusal(
                    f"InvalidArgumentError: the mask of {name} is {mask}, and {part.name} computes in {own}",
                    "give the layer and its cells one dtype, or drop the dropout",
                )
        comes = own


def kept_masks(node: Node) -> Iterator[Refusal]:
    """The known error of a single cell in training, if its first call is in a graph.

    TensorFlow traces a function twice if it creates variables, and the cell keeps the masks of the first trace.
    """
    drops = node.cls.kind == "cell" and any(
        _drops(part, name) for part in _computing(node) for name in ("dropout", "recurrent_dropout")
    )
    if drops and asked() >= KERAS_3:
        yield Refusal(
            f"TypeError: {node.name} keeps its dropout mask from the trace that creates its weights, and the tensor is "
            "out of scope later",
            "call the cell once before, to create its weights; or use --execution eager",
        )


def _computing(cell: Node) -> Iterator[Node]:
    """The cell itself, or all cells of a stack and of the stacks in it, in order."""
    if not cell.has("cells"):
        yield cell
        return
    for part in cell["cells"]:
        yield from _computing(part)


def _drops(cell: Node, name: str) -> bool:
    """Whether a cell applies this dropout; at a rate of 1, only SimpleRNN does (``docs/keras-quirks.md``)."""
    return cell.has(name) and (0 < cell[name] < 1 or (cell[name] == 1 and cell.name.startswith("SimpleRNN")))


def by_gates(node: Node, *, training: bool = False) -> bool:
    """Whether Keras uses the dropout masks of the gates as one mask, before it runs cuDNN."""
    return (
        (training or not _IN_TRAINING.made)
        and node.name in ("LSTM", "GRU")
        and node["implementation"] == 1
        and bool(node["dropout"])
        and not node["recurrent_dropout"]
        and node["use_cudnn"] is not False
        and _BY_GATES.made
    )
