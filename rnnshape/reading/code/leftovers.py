"""Messages for classes and arguments of Keras 1, Keras 2, TensorFlow 1 and PyTorch that Keras 3 does not have.

Sources: Keras' migration guide and the signatures of 3.15.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code.calling import signature
from rnnshape.spec.masks import MASK
from rnnshape.spec.options import INITIAL_STATE, TRAINING

if TYPE_CHECKING:
    from rnnshape.layers.node import LayerClass

CLASSES = {
    "CuDNNLSTM": "was removed in TensorFlow 2: LSTM uses cuDNN by itself where it can (see its cuDNN line)",
    "CuDNNGRU": "was removed in TensorFlow 2: GRU uses cuDNN by itself where it can (see its cuDNN line)",
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
    "Input": "is not a layer here: put it before one, Sequential([Input((10, 8)), LSTM(8)])",
    "InputLayer": "is not a layer here: put it before one, Sequential([InputLayer((10, 8)), LSTM(8)])",
    "Model": "is not supported here: paste one layer, or layers joined by |",
}

# The names that arguments have now; a class may lack that argument too.
RENAMED = {
    "inner_activation": ("Keras 1", "recurrent_activation"),
    "inner_init": ("Keras 1", "recurrent_initializer"),
    "init": ("Keras 1", "kernel_initializer"),
    "output_dim": ("Keras 1", "units"),
    "dropout_W": ("Keras 1", "dropout"),
    "dropout_U": ("Keras 1", "recurrent_dropout"),
    "hidden_size": ("PyTorch", "units"),
}

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
    "batch_first": "is from PyTorch; Keras is always batch first (N, T, C): drop it",
    "bidirectional": "is from PyTorch: wrap the layer, Bidirectional({layer}(…))",
    "num_layers": "is from PyTorch: write the layers one after another, {layer}(8, return_sequences=True) | {layer}(8)",
    "consume_less": "is from Keras 1: write implementation=2 for 'gpu', and implementation=1 for the others",
    "dynamic": "was removed in Keras 3: drop it; --execution eager runs without a graph",
    "reset_after": "belongs to GRU and GRUCell: drop it",
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

# Keras 2 accepts them for any layer, or ignores them.
_IDLE_IN_2 = ("dynamic", "weights", "implementation", "time_major")


def of_class(name: str) -> str | None:
    """Why Keras has no class of this name, and what to use instead; None if it is not a known leftover."""
    return CLASSES.get(name)


def of_argument(name: str, layer: LayerClass, said: str) -> str | None:
    """Why a class does not take an argument of this name, and what to write instead; None if it is not known."""
    if name in RENAMED:
        where, now = RENAMED[name]
        return f"is of {where}: " + (f"it is called {now}" if now in layer.by_name else "drop it")
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
