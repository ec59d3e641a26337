"""What is told of constructor calls that are wrong, or of classes that are not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.errors import nearest
from rnnshape.layers import TABLE
from rnnshape.layers.release import asked
from rnnshape.reading.code import leftovers

if TYPE_CHECKING:
    from rnnshape.layers import Node
    from rnnshape.layers.arguments import Nested
    from rnnshape.layers.node import LayerClass

OWN = "if it is your own, --import MODULE builds it"
"""What is to be done about a class that is not known."""


def not_known(name: str, answered: str = "before") -> str:
    """What is told of a layer behind which nothing is answered, or in front of what is answered."""
    if name.rpartition(".")[2] == "Lambda":
        return f"{name} calls a function, which is not run: what stands {answered} it is answered"
    return f"{name} is not known: what stands {answered} it is answered; {OWN}"


def is_a_cell(cell: Node) -> str:
    """Why a cell cannot stand where one layer follows another."""
    return f"{cell.name} is a cell, which computes one step: write RNN({cell.text})"


def of_another_library(name: str) -> str:
    """Why a layer of PyTorch or Flax is not read."""
    return f"{name} is not a layer of Keras: write the layer as in Keras, such as LSTM(8)"


def unknown_class(name: str, short: str) -> str:
    """Why there is no such class, and what to do."""
    if gone := leftovers.of_class(short):
        return f"{short} {gone}"
    near = nearest(short, TABLE)
    return f"unknown layer {name}{near}; {OWN}" + ("" if near else f"; the known layers are {', '.join(TABLE)}")


def unknown_argument(name: str, layer: LayerClass, said: str) -> str:
    """Why the class does not take this argument."""
    if (known := layer.by_name.get(name)) is not None and not known.until:
        return f"{layer.name} {known.missing_in(asked())}"
    if why := leftovers.of_argument(name, layer, said):
        return f"{layer.name} takes no {name}: it {why}"
    if known is not None:
        return f"{layer.name} {known.missing_in(asked())}"
    return f"{layer.name} takes no argument {name}{nearest(name, layer.by_name)}"


def wrong_role(layer: LayerClass, node: Node, kind: Nested) -> str:
    """Why one layer cannot stand in another."""
    if node.cls.kind == "cell":
        return f"{layer.name} takes {kind.allowed}, and {node.name} is a cell: write RNN({node.text})"
    if kind.role == "cell":
        cells = {"LSTM": "LSTMCell", "GRU": "GRUCell", "SimpleRNN": "SimpleRNNCell"}
        instead = f": use {cells[node.name]}" if node.name in cells else ""
        return f"{layer.name} takes {kind.allowed}, and {node.name} is a whole layer{instead}"
    return f"{layer.name} takes {kind.allowed}, which {node.name} is not"
