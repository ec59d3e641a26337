"""Messages for classes and arguments of Keras 1, Keras 2, TensorFlow 1 and PyTorch that Keras 3 does not have.

Sources: Keras' migration guide and the signatures of 3.15.1.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code.calling import signature
from rnnshape.reading.code.keras_1 import RENAMED, renamed
from rnnshape.spec.masks import MASK
from rnnshape.spec.options import INITIAL_STATE, TRAINING

if TYPE_CHECKING:
    from rnnshape.layers.node import LayerClass

# Classes of TensorFlow 1 that return the same as a class of Keras 3, and how the weights of this class differ.
READ_AS = {
    "CuDNNLSTM": ("LSTM", "which has 4*H weights less, one bias vector instead of two"),
    "CuDNNGRU": ("GRU", "which has as many weights"),
}

CLASSES = {
    "LSTMV2": "is called LSTM",
    "GRUV2": "is called GRU",
    "BasicLSTMCell": "is from TensorFlow 1: use LSTMCell",
    "BasicRNNCell": "is from TensorFlow 1: use SimpleRNNCell",
    "MultiRNNCell": "is from TensorFlow 1: use StackedRNNCells, or give RNN a list of cells",
    "dynamic_rnn": "is from TensorFlow 1: use RNN(cell), such as RNN(LSTMCell(8))",
    "bidirectional_dynamic_rnn": "is from TensorFlow 1: use Bidirectional(RNN(cell))",
    "AbstractRNNCell": "was removed in Keras 3: a cell is a Layer with state_size and call(inputs, states)",
    "ConvLSTM2DCell": "is not public in Keras 3: use ConvLSTM2D",
    "TimeDistributedDense": "is from Keras 1: use Dense, which keeps the time axis, or TimeDistributed(Dense)",
    "TimeDistributedFlatten": "is not in Keras: use TimeDistributed(Flatten())",
    "TimeDistributedMerge": "is from Keras 1: use GlobalAveragePooling1D() or GlobalMaxPooling1D()",
    "Merge": "is from Keras 1: call both models, and the layers Concatenate(), Add() or Multiply() on the results",
    "Input": "is not a layer here: put it before one, Sequential([Input((10, 8)), LSTM(8)])",
    "InputLayer": "is not a layer here: put it before one, Sequential([InputLayer((10, 8)), LSTM(8)])",
    "Model": "is not supported here: paste one layer, or layers joined by |",
}

# Those of them that Keras 2 or an older Keras had under this name.
_OF_KERAS_2 = ("AbstractRNNCell", "ConvLSTM2DCell", "TimeDistributedDense")

# ``{layer}`` is the name of the class, ``{said}`` the value as it was written.
_BATCH_SHAPE = (
    "was removed in Keras 3: drop it and write keras.Input(batch_shape={said}), as the first layer of a Sequential "
    "or as the input of {layer}(…)"
)
ARGUMENTS = {
    "time_major": "was removed in Keras 3, which is always batch first (N, T, C): drop it and transpose the input",
    "batch_input_shape": _BATCH_SHAPE,
    "batch_shape": _BATCH_SHAPE,
    "batch_size": "was removed in Keras 3: drop it and give --batch {said}, or keras.Input((10, 8), batch_size={said})",
    "input_length": "was removed in Keras 3, where the length comes from the input: drop it and give --time {said}",
    "input_shape": "belongs to the first layer of the list; or put keras.Input({said}) in front of it",
    "input_dim": "belongs to the first layer of the list; or put keras.Input in front of it",
    "weights": "is not a constructor argument in Keras 3: drop it and call set_weights on the built layer",
    "implementation": "has no effect on this class; only LSTM, GRU and their cells have two implementations: drop it",
    "hidden_size": "is from PyTorch: write units={said}",
    "batch_first": "is from PyTorch; Keras is always batch first (N, T, C): drop it",
    "bidirectional": "is from PyTorch: wrap the layer, Bidirectional({layer}(…))",
    "num_layers": "is from PyTorch: write the layers one after another, {layer}(8, return_sequences=True) | {layer}(8)",
    "consume_less": "is from Keras 1: write implementation=2 for 'gpu', and implementation=1 for the others",
    "dynamic": "was removed in Keras 3: drop it; --execution eager runs without a graph",
    "reset_after": "belongs to GRU and GRUCell: drop it",
    "mask_zero": "belongs to Embedding, which makes the mask; recurrent layers use it by themselves: drop it",
    "recurrent_activation": "belongs to gated cells (LSTM, GRU), and {layer} has no gates: drop it",
    "unit_forget_bias": "belongs to LSTM, only it has a forget gate: drop it",
}
_OF_RECURRENT = ("bidirectional", "num_layers")
_OF_SEQUENCES = ("return_state", "return_sequences")
# The value that is the same as no argument; None is so for each of them.
_IDLE = {
    "time_major": "False",
    "dynamic": "False",
    "bidirectional": "False",
    "num_layers": "1",
    "return_state": "False",
    "return_sequences": "False",
    "training": "False",
}

# Layers of torch.nn, by the names of Keras.
_OF_TORCH = {"LSTM": "LSTM", "GRU": "GRU", "RNN": "SimpleRNN"}

# Arguments of Keras 2 with a value that changes nothing: Keras 3 rejects them, and a reader can do without.
_NO_EFFECT = {name: _IDLE.get(name, "None") for name in ("time_major", "dynamic", "weights")}

# Keras 2 accepts them for any layer, or ignores them.
_IDLE_IN_2 = ("dynamic", "weights", "implementation", "time_major")


def today(name: str) -> str:
    """The name of the class that is read in place of a class of this name."""
    return READ_AS[name][0] if name in READ_AS else name


def read_as(name: str) -> str:
    """The note for a class that is read as another one."""
    now, weights = READ_AS[name]
    return f"{name} was removed in TensorFlow 2: it is read as {now}, {weights}"


def removed(name: str) -> str | None:
    """Why the chosen release of Keras lacks a class that an older one had, and what to use instead."""
    if name in READ_AS:
        return f"was removed in TensorFlow 2: use {today(name)}, which uses cuDNN by itself where it can"
    return CLASSES[name] if name in _OF_KERAS_2 and asked() >= KERAS_3 else None


def of_class(name: str) -> str | None:
    """Why Keras has no class of this name, and what to use instead; None if it is not a known leftover."""
    return CLASSES.get(name)


def of_torch(name: str, call: ast.Call) -> str | None:
    """The layer of Keras that returns the same as ``nn.LSTM(input_size, hidden_size)`` of PyTorch; None for another.

    PyTorch returns the whole sequence and the states, and ``bidirectional`` concatenates both directions.  In Keras
    the batch is the first axis.
    """
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    units = call.args[1] if len(call.args) > 1 else given.get("hidden_size")
    prefix, _, short = name.rpartition(".")
    if prefix.rpartition(".")[2] != "nn" or short not in _OF_TORCH or units is None:
        return None
    layer = f"{_OF_TORCH[short]}({ast.unparse(units)}, return_sequences=True, return_state=True)"
    match given.get("bidirectional"):
        case ast.Constant(value=True):
            layer = f"Bidirectional({layer})"
    several = len(call.args) > 2 or "num_layers" in given
    return f"{layer}{', once for each of num_layers' * several}"


def has_no_effect(name: str, said: str) -> bool:
    """Whether an argument that only Keras 2 has is given a value that changes nothing."""
    return _NO_EFFECT.get(name) == said


def of_argument(name: str, layer: LayerClass, said: str) -> str | None:
    """Why a class does not take an argument of this name, and what to write instead; None if it is not known."""
    if name in RENAMED and name not in ARGUMENTS:
        now = renamed(name, layer)
        return f"is from Keras 1: {f'it is called {now.name}' if now else 'drop it'}"
    call = (MASK.name, INITIAL_STATE.name, TRAINING.name)
    if name not in (*ARGUMENTS, *_OF_SEQUENCES, *call):
        return None
    if asked() < KERAS_3 and name in _IDLE_IN_2:
        return "changes no shape in Keras 2 and is not read here: drop it"
    if said in ("None", _IDLE.get(name)):
        return f"is not needed, because {name}={said} changes nothing here: drop it"
    if name in _OF_SEQUENCES:
        return _of_sequences(name, layer)
    if name in call:
        return _of_call(name, layer, said)
    if (name == "consume_less" and "implementation" not in layer.by_name) or (
        name in _OF_RECURRENT and layer.kind != "recurrent"
    ):
        return "does not apply to this class: drop it"
    return ARGUMENTS[name].format(layer=layer.name, said=said)


def _of_sequences(name: str, layer: LayerClass) -> str:
    if layer.kind == "cell":
        return f"belongs to the layer around the cell: write RNN({layer.name}(…), {name}=True)"
    if layer.name in ("Bidirectional", "TimeDistributed"):
        return f"belongs to the recurrent layer inside: write {layer.name}(LSTM(8, {name}=True))"
    return "belongs to recurrent layers: drop it"


def _of_call(name: str, layer: LayerClass, said: str) -> str:
    if name == INITIAL_STATE.name and layer.kind == "cell":
        return f"belongs to the call: {layer.name}(…)(x, {said})"
    if name not in signature(layer):
        return "does not apply to this class: drop it"
    values = ", and --mask gives its values" if name == MASK.name else ""
    return f"belongs to the call: {layer.name}(…)(x, {name}={said}){values}"
