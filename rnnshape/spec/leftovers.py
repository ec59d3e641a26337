"""What Keras 2 and TensorFlow 1 had and Keras 3 has not: the cause and the way now, in a line.

What is gone was read in Keras' own migration guide and in the signatures of 3.15.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnshape.layers.base import LayerClass

CLASSES = {
    "CuDNNLSTM": "is gone since TensorFlow 2: LSTM uses cuDNN by itself where it can (see its cuDNN line)",
    "CuDNNGRU": "is gone since TensorFlow 2: GRU uses cuDNN by itself where it can (see its cuDNN line)",
    "LSTMV2": "is called LSTM",
    "GRUV2": "is called GRU",
    "BasicLSTMCell": "is of TensorFlow 1: use LSTMCell",
    "BasicRNNCell": "is of TensorFlow 1: use SimpleRNNCell",
    "MultiRNNCell": "is of TensorFlow 1: use StackedRNNCells, or give RNN a list of cells",
    "dynamic_rnn": "is of TensorFlow 1: use RNN(cell)",
    "bidirectional_dynamic_rnn": "is of TensorFlow 1: use Bidirectional(RNN(cell))",
    "AbstractRNNCell": "is gone in Keras 3: a cell is a Layer with state_size and call(inputs, states)",
    "ConvLSTM2DCell": "is not public in Keras 3: use ConvLSTM2D",
    "TimeDistributedDense": "is of Keras 1: use Dense, which keeps the time axis, or TimeDistributed(Dense)",
    "Input": "is no layer here: give the input's shape with --input",
    "InputLayer": "is no layer here: give the input's shape with --input",
    "Model": "is not read here: paste one layer, or layers joined by |",
}

_INPUT = "is gone in Keras 3: the shape comes from the input (--input), or from keras.Input"
ARGUMENTS = {
    "time_major": "is gone in Keras 3, which is always batch first (N, T, C): transpose the input",
    "batch_input_shape": _INPUT,
    "batch_shape": _INPUT,
    "input_shape": _INPUT,
    "input_length": "is gone in Keras 3: the length comes from the input",
    "batch_size": _INPUT,
    "weights": "is no constructor argument in Keras 3: call set_weights on the built layer",
    "implementation": "has no meaning for this class: only LSTM, GRU and their cells have two implementations",
    "inner_activation": "is of Keras 1: it is called recurrent_activation",
    "inner_init": "is of Keras 1: it is called recurrent_initializer",
    "init": "is of Keras 1: it is called kernel_initializer",
    "output_dim": "is of Keras 1: it is called units",
    "hidden_size": "is PyTorch's: it is called units",
    "batch_first": "is PyTorch's: Keras is always batch first",
    "bidirectional": "is PyTorch's: wrap the layer, Bidirectional(LSTM(8))",
    "num_layers": "is PyTorch's: write the layers one after another, LSTM(8, return_sequences=True) | LSTM(8)",
    "dropout_W": "is of Keras 1: it is called dropout",
    "dropout_U": "is of Keras 1: it is called recurrent_dropout",
    "consume_less": "is of Keras 1: it is called implementation",
    "dynamic": "is gone in Keras 3",
    "reset_after": "belongs to GRU and GRUCell",
    "recurrent_activation": "belongs to gated cells (LSTM, GRU): a SimpleRNN has no gates",
    "unit_forget_bias": "belongs to LSTM: only it has a forget gate",
    "return_state": "belongs to the layer, not to its cell or wrapper: write it inside, next to units",
    "return_sequences": "belongs to the layer, not to its cell or wrapper: write it inside, next to units",
    "input_dim": _INPUT,
    "mask": "belongs to the call, LSTM(8)(x, mask=mask), whose values --mask gives",
    "initial_state": "belongs to the call, LSTM(8)(x, initial_state=[h, c])",
    "training": "belongs to the call, LSTM(8)(x, training=True)",
}


def of_class(name: str) -> str | None:
    """Why there is no class of this name any more."""
    return CLASSES.get(name)


def of_argument(name: str, layer: LayerClass) -> str | None:
    """Why this class does not take an argument of this name."""
    if name in ("return_state", "return_sequences") and layer.kind not in ("cell", "layer"):
        return None
    return ARGUMENTS.get(name)
