"""Every piece of advice, followed: what an error says to write instead is answered."""

from __future__ import annotations

from typing import Any

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.reading import make
from rnnshape.reading.code import leftovers

Options = dict[str, Any]

# What is asked: the words of the error that say what to do, and what a person then writes.
ARGUMENTS: dict[str, tuple[str, str, Options]] = {
    "LSTM(8, time_major=True)": ("drop it and transpose the input", "LSTM(8)(tf.transpose(x, [1, 0, 2]))", {}),
    "Sequential([GRU(8)], batch_input_shape=(2, 5, 4))": (
        "write keras.Input(batch_shape=(2, 5, 4)), as the first layer of a Sequential",
        "Sequential([keras.Input(batch_shape=(2, 5, 4)), GRU(8)])",
        {},
    ),
    "Sequential([GRU(8)], batch_shape=(2, 5, 4))": (
        "or as the input of Sequential(…)",
        "Sequential([GRU(8)])(keras.Input(batch_shape=(2, 5, 4)))",
        {},
    ),
    "Sequential([LSTM(8)], batch_size=32)": ("give --batch 32", "LSTM(8)", {"batch": 32}),
    "Sequential([GRU(8)], batch_size=32)": (
        "or keras.Input((10, 8), batch_size=32)",
        "GRU(8)(keras.Input((10, 8), batch_size=32))",
        {},
    ),
    "Sequential([LSTM(8)], input_length=7)": ("give --time 7", "LSTM(8)", {"time": 7}),
    "Sequential([LSTM(8)], input_shape=(10, 8))": (
        "belongs to the first layer of the list",
        "Sequential([LSTM(8, input_shape=(10, 8))])",
        {},
    ),
    "Sequential([GRU(8)], input_shape=(10, 8))": (
        "put keras.Input((10, 8)) in front of it",
        "Sequential([keras.Input((10, 8)), GRU(8)])",
        {},
    ),
    "Sequential([Dense(8)], input_dim=8)": (
        "belongs to the first layer of the list",
        "Sequential([Dense(8, input_dim=8)])",
        {},
    ),
    "LSTM(8, weights=[k])": ("drop it", "LSTM(8)", {}),
    "SimpleRNN(8, implementation=1)": ("drop it", "SimpleRNN(8)", {}),
    "SimpleRNN(8, inner_activation='relu')": ("drop it", "SimpleRNN(8)", {}),
    "Dense(8, inner_init='zeros')": ("drop it", "Dense(8)", {}),
    "LSTM(8, output_dim=9)": ("it is called units", "LSTM(units=9)", {}),
    "GRU(hidden_size=8)": ("write units=8", "GRU(units=8)", {}),
    "SimpleRNN(8, consume_less='mem')": ("drop it", "SimpleRNN(8)", {}),
    "LSTM(8, batch_first=True)": ("drop it", "LSTM(8)", {}),
    "LSTM(8, bidirectional=True)": ("Bidirectional(LSTM(…))", "Bidirectional(LSTM(8))", {}),
    "LSTM(8, bidirectional=False)": ("drop it", "LSTM(8)", {}),
    "Dense(8, bidirectional=True)": ("drop it", "Dense(8)", {}),
    "GRU(8, num_layers=2)": (
        "GRU(8, return_sequences=True) | GRU(8)",
        "GRU(8, return_sequences=True) | GRU(8)",
        {},
    ),
    "GRU(8, num_layers=1)": ("drop it", "GRU(8)", {}),
    "LSTM(8, dynamic=True)": ("drop it; --execution eager", "LSTM(8)", {"execution": "eager"}),
    "GRU(8, mask_zero=True)": ("drop it", "GRU(8)", {}),
    "LSTM(8, reset_after=True)": ("drop it", "LSTM(8)", {}),
    "SimpleRNN(8, recurrent_activation='relu')": ("drop it", "SimpleRNN(8)", {}),
    "GRU(8, unit_forget_bias=True)": ("drop it", "GRU(8)", {}),
    "LSTMCell(8, return_state=True)": (
        "RNN(LSTMCell(…), return_state=True)",
        "RNN(LSTMCell(8), return_state=True)",
        {},
    ),
    "LSTMCell(8, return_state=False)": ("drop it", "LSTMCell(8)", {}),
    "Bidirectional(LSTM(8), return_sequences=True)": (
        "write Bidirectional(LSTM(8, return_sequences=True))",
        "Bidirectional(LSTM(8, return_sequences=True))",
        {},
    ),
    "TimeDistributed(LSTM(8), return_state=True)": (
        "write TimeDistributed(LSTM(8, return_state=True))",
        "TimeDistributed(LSTM(8, return_state=True))",
        {},
    ),
    "Dense(8, return_sequences=True)": ("drop it", "Dense(8)", {}),
    "LSTM(8, mask=m)": ("LSTM(…)(x, mask=m), and --mask gives its values", "LSTM(8)(x, mask=m)", {"mask": "110;100"}),
    "GRU(8, initial_state=[h])": ("GRU(…)(x, initial_state=[h])", "GRU(8)(x, initial_state=[h])", {}),
    "LSTMCell(8, initial_state=[h, c])": ("LSTMCell(…)(x, [h, c])", "LSTMCell(8)(x, [h, c])", {}),
    "Dense(8, initial_state=[h])": ("drop it", "Dense(8)", {}),
    "LSTM(8, training=True)": ("LSTM(…)(x, training=True)", "LSTM(8)(x, training=True)", {}),
    "LSTM(8, training=False)": ("drop it", "LSTM(8)", {}),
}
CLASSES: dict[str, tuple[str, str, Options]] = {
    "LSTMV2(8)": ("is called LSTM", "LSTM(8)", {}),
    "GRUV2(8)": ("is called GRU", "GRU(8)", {}),
    "BasicLSTMCell(8)": ("use LSTMCell", "LSTMCell(8)", {}),
    "BasicRNNCell(8)": ("use SimpleRNNCell", "SimpleRNNCell(8)", {}),
    "MultiRNNCell([LSTMCell(8)])": ("use StackedRNNCells, or give RNN a list of cells", "RNN([LSTMCell(8)])", {}),
    "dynamic_rnn(LSTMCell(8))": ("such as RNN(LSTMCell(8))", "RNN(LSTMCell(8))", {}),
    "bidirectional_dynamic_rnn(LSTMCell(8))": ("use Bidirectional(RNN(cell))", "Bidirectional(RNN(LSTMCell(8)))", {}),
    "ConvLSTM2DCell(3, 3)": ("use ConvLSTM2D", "ConvLSTM2D(3, 3)", {}),
    "TimeDistributedFlatten()": ("use TimeDistributed(Flatten())", "TimeDistributed(Flatten())", {}),
    "TimeDistributedMerge(mode='ave')": ("use GlobalAveragePooling1D()", "GlobalAveragePooling1D()", {}),
    "Merge([a, b], mode='concat')": (
        "the layers Concatenate(), Add() or Multiply() on the results",
        "y = Concatenate()([LSTM(3)(x), GRU(4)(x)])",
        {},
    ),
    "TimeDistributedDense(3)": ("use Dense", "TimeDistributed(Dense(3))", {}),
    "Input((10, 8))": ("Sequential([Input((10, 8)), LSTM(8)])", "Sequential([Input((10, 8)), LSTM(8)])", {}),
    "InputLayer((10, 8))": (
        "Sequential([InputLayer((10, 8)), LSTM(8)])",
        "Sequential([InputLayer((10, 8)), LSTM(8)])",
        {},
    ),
    "Model(x, y)": ("paste one layer, or layers joined by |", "LSTM(8) | Dense(1)", {}),
}
OTHERS: dict[str, tuple[str, str, Options]] = {
    "LSTM": ("write LSTM(…)", "LSTM(8)", {}),
    "LSTM(8, input_shape=(668, 10, 4))": ("if 668 is the batch, write (10, 4)", "LSTM(8, input_shape=(10, 4))", {}),
    "ConvLSTM2D(4, 3, input_shape=(8, 8, 3))": (
        "give the time axis as well, (None, 8, 8, 3) without the batch",
        "ConvLSTM2D(4, 3, input_shape=(None, 8, 8, 3))",
        {},
    ),
    "ConvLSTM2D(4, 3)(np.zeros((2, 8, 8, 3)))": (
        "add the time axis, x[:, None] for one step",
        "ConvLSTM2D(4, 3)(np.zeros((2, 1, 8, 8, 3)))",
        {},
    ),
    "Sequential([Dense(5, input_shape=(1,)), Dense(10), LSTM(8)])": (
        "give the input a time axis",
        "Sequential([Dense(5, input_shape=(20, 1)), Dense(10), LSTM(8)])",
        {},
    ),
    "GRU(8)(np.zeros((2, 5, 3, 4)))": (
        "write TimeDistributed(GRU(…))",
        "TimeDistributed(GRU(8))(np.zeros((2, 5, 3, 4)))",
        {},
    ),
    "nn.LSTM(4, 8, batch_first=True)": (
        "write LSTM(8, return_sequences=True, return_state=True)",
        "LSTM(8, return_sequences=True, return_state=True)",
        {},
    ),
    "torch.nn.GRU(input_size=4, hidden_size=8, bidirectional=True)": (
        "write Bidirectional(GRU(8, return_sequences=True, return_state=True))",
        "Bidirectional(GRU(8, return_sequences=True, return_state=True))",
        {},
    ),
    "nn.RNN(4, 8, 2)": (
        "write SimpleRNN(8, return_sequences=True, return_state=True), once for each of num_layers",
        "SimpleRNN(8, return_sequences=True) | SimpleRNN(8, return_sequences=True, return_state=True)",
        {},
    ),
    "LSTM(8.0)": ("a whole number, 1 or more", "LSTM(8)", {}),
    "RNN(LSTM(8))": ("use LSTMCell", "RNN(LSTMCell(8))", {}),
    "RNN(GRU(8))": ("use GRUCell", "RNN(GRUCell(8))", {}),
    "Bidirectional(LSTMCell(8))": ("write RNN(LSTMCell(8))", "Bidirectional(RNN(LSTMCell(8)))", {}),
    "Dense(4) | LSTMCell(8)": ("write RNN(LSTMCell(8))", "Dense(4) | RNN(LSTMCell(8))", {}),
    "RNN(GRUCell(3))(LSTMCell(8)(x, [h, c]))": (
        "write RNN(LSTMCell(8))",
        "RNN(GRUCell(3))(RNN(LSTMCell(8), return_sequences=True)(x))",
        {},
    ),
    "StackedRNNCells(LSTMCell(8))": ("must be a list: [LSTMCell(8)]", "StackedRNNCells([LSTMCell(8)])", {}),
    "Bidirectional(LSTM(8, go_backwards=True))": ("remove go_backwards from the layer", "Bidirectional(LSTM(8))", {}),
    "LSTM(8, activation=tf.nn.relu(x))": ("activation='relu'", "LSTM(8, activation='relu')", {}),
    "LSTM(8, activation=LeakyReLU)": ("write LeakyReLU()", "LSTM(8, activation=LeakyReLU())", {}),
    "LSTM(8, activation=LeakyReLU(), dtype='float16')": (
        "write LeakyReLU(…, dtype='float16')",
        "LSTM(8, activation=LeakyReLU(dtype='float16'), dtype='float16')",
        {},
    ),
    "LSTM(8, activation=ThresholdedReLU(1.0))": (
        "write ReLU(threshold=…)",
        "LSTM(8, activation=ReLU(threshold=1.0))",
        {},
    ),
    "LSTM(8, kernel_regularizer=l2(l=0.1))": ("it is called l2", "LSTM(8, kernel_regularizer=l2(l2=0.1))", {}),
    "LSTM(8)(LSTM(4)(x))": (
        "give layer 1 `return_sequences=True`",
        "LSTM(8)(LSTM(4, return_sequences=True)(x))",
        {},
    ),
    "LSTM(8) | Dropout(0.2) | LSTM(4)": (
        "give layer 1 `return_sequences=True`",
        "LSTM(8, return_sequences=True) | Dropout(0.2) | LSTM(4)",
        {},
    ),
    "LSTM(8) | RepeatVector(5) | LSTM(4) | TimeDistributed(Dense(1))": (
        "give layer 3 `return_sequences=True`",
        "LSTM(8) | RepeatVector(5) | LSTM(4, return_sequences=True) | TimeDistributed(Dense(1))",
        {},
    ),
    "LSTM(8, return_sequences=True) | RepeatVector(5)": (
        "drop `return_sequences=True` from layer 1",
        "LSTM(8) | RepeatVector(5)",
        {},
    ),
    "Conv1D(4, 3) | Flatten() | LSTM(4)": ("drop layer 2, Flatten", "Conv1D(4, 3) | LSTM(4)", {}),
    "Conv2D(4, 3) | Flatten() | LSTM(4)": (
        "make layer 2 TimeDistributed(Flatten())",
        "Conv2D(4, 3) | TimeDistributed(Flatten()) | LSTM(4)",
        {},
    ),
    "TimeDistributed(Conv2D(4, 3)) | LSTM(4)": (
        "put TimeDistributed(Flatten()) between layer 1 and layer 2",
        "TimeDistributed(Conv2D(4, 3)) | TimeDistributed(Flatten()) | LSTM(4)",
        {},
    ),
    "Dense(1)(LSTM(8, return_state=True)(x))": ("drop return_state=True from layer 1", "Dense(1)(LSTM(8)(x))", {}),
    "Bidirectional(GRU(8), merge_mode=None) | Dense(1)": (
        "drop merge_mode=None from layer 1",
        "Bidirectional(GRU(8)) | Dense(1)",
        {},
    ),
    "a, b, c = LSTM(8)(x)": ("with return_state=True it returns 3", "a, b, c = LSTM(8, return_state=True)(x)", {}),
    "a, b = Bidirectional(GRU(8))(x)": (
        "with merge_mode=None it returns 2 values: forward_output, backward_output",
        "a, b = Bidirectional(GRU(8), merge_mode=None)(x)",
        {},
    ),
    "LSTM(8)(x, mask=[[True]])": (
        "tf.constant([[True, False]])",
        "LSTM(8)(tf.zeros((1, 2, 4)), mask=tf.constant([[True, False]]))",
        {},
    ),
    "LSTM(8)([x, h, c])": ("LSTM(…)(x, initial_state=[h, c])", "LSTM(8)(x, initial_state=[h, c])", {}),
    "Bidirectional(GRU(8))([x, f, b])": (
        "Bidirectional(…)(x, initial_state=[f, b])",
        "Bidirectional(GRU(8))(x, initial_state=[f, b])",
        {},
    ),
    "LSTM(8)([x])": ("LSTM(…)(x)", "LSTM(8)(x)", {}),
    "LSTM(8)([[[1.0]]])": ("np.array([[[1.0]]])", "LSTM(8)(np.array([[[1.0]]]))", {}),
    "LSTM(8)()": ("LSTM(…)(x)", "LSTM(8)(x)", {}),
    "LSTM(8)(inputs=x)": ("is called sequences", "LSTM(8)(sequences=x)", {}),
    "LSTM(8)(x, None, None, True)": ("write training=True", "LSTM(8)(x, training=True)", {}),
    "LSTMCell(8)(x)": ("cell(x, states)", "LSTMCell(8)(x, states)", {}),
    "LSTMCell(8)(x, h)": ("as a list, [state_h, state_c]", "LSTMCell(8)(x, [state_h, state_c])", {}),
    "LSTM(8)(GRU(4))": ("GRU(4)(x)", "LSTM(8)(GRU(4, return_sequences=True)(x))", {}),
    "LSTM(8)(GRU(4, return_sequences=True) | Dense(2))": (
        "are called on a tensor: (… | …)(x)",
        "LSTM(8)((GRU(4, return_sequences=True) | Dense(2))(x))",
        {},
    ),
    "LSTM(8)({1: x})": (
        "write a name instead, such as x, and give its shape with --input",
        "LSTM(8)(x)",
        {"input": (2, 3, 4)},
    ),
    "Dense(1)(Dropout(0.5)(LSTM(8)(x)), training=True)": (
        "in the call of each layer with dropout",
        "Dense(1)(Dropout(0.5)(LSTM(8)(x), training=True))",
        {},
    ),
    "Bidirectional(LSTM(8)(x))": ("write LSTM(8)", "Bidirectional(LSTM(8))", {}),
    "LSTM(8)(tf.zeros((2, 8)))": ("x[:, None, :]", "LSTM(8)(x[:, None, :])", {}),
    "LSTM(8, input_shape=(8,))": ("give the time axis as well, (None, 8)", "LSTM(8, input_shape=(None, 8))", {}),
    "LSTM(8)(keras.Input((8,)))": ("give the time axis as well, (None, 8)", "LSTM(8)(keras.Input((None, 8)))", {}),
    "Dense(8, input_shape=8)": ("write (8,)", "Dense(8, input_shape=(8,))", {}),
    "Sequential([LSTM(8, input_dim=8)])": (
        "write input_shape=(None, 8)",
        "Sequential([LSTM(8, input_shape=(None, 8))])",
        {},
    ),
    "LSTM(8)(keras.Input())": ("Input((10, 8))", "LSTM(8)(keras.Input((10, 8)))", {}),
}
ADVICE = {**ARGUMENTS, **CLASSES, **OTHERS}


@pytest.mark.parametrize("asked", ADVICE)
def test_what_an_error_advises_is_answered(asked: str) -> None:
    advice, followed, options = ADVICE[asked]
    with pytest.raises(Invalid) as caught:
        make(asked)
    assert advice in str(caught.value)
    assert rnnshape.predict(followed, **options).error is None


# What is answered, and the advice of the note beside the answer.
NOTED: dict[str, tuple[str, str, Options]] = {
    "LSTM(n)": ("--let n=… sets it", "LSTM(n)", {"let": {"n": 5}}),
    "LSTM(8, dropout=rate)": ("--let rate=… sets it", "LSTM(8, dropout=rate)", {"let": {"rate": 0.1}}),
    "LSTM(8, time_major=False)": ("rejects time_major=False: drop it, it changes nothing here", "LSTM(8)", {}),
    "GRU(8, weights=None)": ("rejects weights=None: drop it", "GRU(8)", {}),
    "Bidirectional(LSTM(8, dynamic=False))": ("rejects dynamic=False: drop it", "Bidirectional(LSTM(8))", {}),
    "Masking() | LSTM(8)": ("--mask right shows", "Masking() | LSTM(8)", {"mask": "right"}),
    "LSTM(8, **more)": ("**more is unknown", "LSTM(8)", {}),
    "LSTM(8)(x, mask=m)": ("or give --mask", "LSTM(8)(x, mask=m)", {"mask": "right:3,2"}),
    "GRU(8, batch_input_shape=(2, 5, 4))": (
        "write keras.Input(batch_shape=…) instead",
        "GRU(8)(keras.Input(batch_shape=(2, 5, 4)))",
        {},
    ),
    "GRU(8, batch_shape=(2, 5, 4))": ("keras.Input(batch_shape=…)", "GRU(8)(keras.Input(batch_shape=(2, 5, 4)))", {}),
    "LSTM(output_dim=8, inner_activation='relu')": (
        "current names: output_dim as units, inner_activation as recurrent_activation",
        "LSTM(units=8, recurrent_activation='relu')",
        {},
    ),
    "LSTM(8, batch_size=32)": ("keras.Input(batch_shape=…)", "LSTM(8)(keras.Input(batch_shape=(32, 3, 4)))", {}),
    "LSTM(8, input_length=7)": ("keras.Input(batch_shape=…)", "LSTM(8)(keras.Input(batch_shape=(None, 7, 4)))", {}),
}


@pytest.mark.parametrize("asked", NOTED)
def test_what_a_note_advises_is_answered_without_that_note(asked: str) -> None:
    advice, followed, options = NOTED[asked]
    assert advice in "\n".join(make(asked).notes)
    report = rnnshape.predict(followed, **options)
    assert report.error is None
    assert advice not in "\n".join(report.spec.notes)


def test_every_leftover_is_followed() -> None:
    asked = {text.split("(")[0] for text in CLASSES}
    assert asked == set(leftovers.CLASSES) - {"AbstractRNNCell"}  # a cell of one's own cannot be pasted
    names = {*leftovers.ARGUMENTS, "return_state", "return_sequences"}
    names |= {"mask", "initial_state", "training"}
    assert [name for name in names if not any(f"{name}=" in text for text in ARGUMENTS)] == []
