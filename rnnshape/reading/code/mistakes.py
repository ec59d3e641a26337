"""Messages about wrong constructor calls and unknown classes."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING, Any

from rnnshape.errors import nearest
from rnnshape.layers import TABLE
from rnnshape.layers.kinds import Flag
from rnnshape.layers.release import asked
from rnnshape.reading.code import leftovers

if TYPE_CHECKING:
    import ast

    from rnnshape.layers import Node
    from rnnshape.layers.arguments import Argument, Nested
    from rnnshape.layers.node import LayerClass
    from rnnshape.reading.code.syntax import Source

_UNREAD = re.compile(
    r"(?:Conv|(?:Global)?(?:Max|Average)Pool(?:ing)?|Cropping|ZeroPadding|UpSampling|SpatialDropout)3D|Conv3DTranspose"
    r"|TextVectorization|(?:String|Integer)Lookup|Hashing|CategoryEncoding|Discretization|Resizing|CenterCrop"
    r"|(?:Group|RMS|Spectral)Normalization|EinsumDense|Random(?:Flip|Crop|Zoom|Rotation|Contrast|Translation|Brightness)"
)
_UNCHECKED = ("dropout", "recurrent_dropout", "implementation", "use_cudnn")
OWN = "if it is your own, --import MODULE builds it"
"""What to do about an unknown class."""


def not_taken(source: Source, argument: Argument, value: Any, tree: ast.expr, shown: str = "") -> None:
    """Report a value that an argument does not take; Keras itself looks at no flag, dropout or implementation."""
    unchecked = isinstance(argument.kind, Flag) or argument.name in _UNCHECKED
    report = source.wrong if unchecked else source.rejected
    report(f"{argument.name} {argument.kind.refusal(value)}{shown}", tree)


def is_unread(name: str) -> bool:
    """Whether this is a layer of Keras that is not in the table, and that code writes beside recurrent ones."""
    return _UNREAD.fullmatch(name) is not None


def not_known(name: str, answer: str = "ends before") -> str:
    """The note about an unknown layer: the answer ends before it, or starts after it."""
    if name.rpartition(".")[2] == "Lambda":
        return f"{name} calls a function, which is not run: the answer {answer} it"
    if is_unread(name.rpartition(".")[2]):
        return f"{name} of Keras is not read: the answer {answer} it"
    return f"{name} is not known: the answer {answer} it; {OWN}"


def is_a_cell(cell: Node) -> str:
    """Why a cell cannot be one of the layers of a stack."""
    return f"{cell.name} is a cell, which computes one step: write RNN({cell.text})"


def of_another_library(name: str, call: ast.Call) -> str:
    """Why a layer of PyTorch, Flax or TensorFlow 1 is not read, and what to write."""
    instead = leftovers.of_torch(name, call) or "the layer as in Keras, such as LSTM(8)"
    return f"{name} is not a layer of Keras: write {instead}"


def of_the_code(name: str) -> str:
    """What to do about a class that the code itself defines."""
    return f"{name} is a class of this code, which is not run here: save it as a module and give --import MODULE"


def unknown_class(name: str, short: str) -> str:
    """Why a class is unknown, and what to do."""
    if gone := leftovers.of_class(short):
        return f"{short} {gone}"
    if is_unread(short):
        return f"{short} of Keras is not read: rnnshape reads recurrent layers and those that feed them"
    near = nearest(short, TABLE)
    if short[:1].islower() and (hasattr(builtins, name) or ("." in name.removeprefix("self.") and not near)):
        return f"{name} is not a layer: write one as in Keras, such as LSTM(8)"
    if short[:1].islower() and "." not in name.removeprefix("self."):  # a name for a layer, not a class
        return f"{name} is not in the code{near}: paste the line that makes it, such as {name} = LSTM(8)"
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
    """Why a layer cannot be an argument of another one."""
    if node.cls.kind == "cell":
        return f"{layer.name} takes {kind.allowed}, and {node.name} is a cell: write RNN({node.text})"
    if kind.role == "cell":
        cells = {"LSTM": "LSTMCell", "GRU": "GRUCell", "SimpleRNN": "SimpleRNNCell"}
        instead = f": use {cells[node.name]}" if node.name in cells else ""
        return f"{layer.name} takes {kind.allowed}, and {node.name} is a whole layer{instead}"
    return f"{layer.name} takes {kind.allowed}, which {node.name} is not"
