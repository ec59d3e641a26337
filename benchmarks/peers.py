"""Other ways to get shapes without computing values.

Each peer prepares its layers before the clock starts, as our Specs are made before, and returns the function to be
timed.  A peer that is not installed raises ImportError when it prepares.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from benchmarks.questions import Question
from rnnshape import theory
from rnnshape.lab.tensorflow import load

Peer = Callable[[Sequence[Question]], Callable[[], None]]


def rnnshape_predict(questions: Sequence[Question]) -> Callable[[], None]:
    """Our prediction."""
    specs = [question.spec() for question in questions]

    def ask() -> None:
        for spec in specs:
            theory.predict(spec)

    return ask


def keras_symbolic(questions: Sequence[Question]) -> Callable[[], None]:
    """A call on ``keras.Input``, as people do it; it also creates the weights."""
    keras = load().keras
    keras.backend.clear_session()  # the graph would grow from round to round and slow Keras down
    prepared = [(question.keras(), question.input) for question in questions]

    def ask() -> None:
        for layer, shape in prepared:
            layer(keras.Input(batch_shape=shape))

    return ask


def keras_compute_output_shape(questions: Sequence[Question]) -> Callable[[], None]:
    """``layer.compute_output_shape``: fast, only shapes, and not always what a call returns."""
    load().keras.backend.clear_session()
    prepared = [(question.keras(), question.input) for question in questions]

    def ask() -> None:
        for layer, shape in prepared:
            layer.compute_output_shape(shape)

    return ask


def flax_eval_shape(questions: Sequence[Question]) -> Callable[[], None]:
    """``jax.eval_shape`` of Flax' RNN: abstract tracing, with the weights."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")  # nothing is computed, so no accelerator is needed
    jax, linen = import_module("jax"), import_module("flax.linen")
    cells = {"lstm": linen.LSTMCell, "gru": linen.GRUCell, "simple-rnn": linen.SimpleCell}

    def model(question: Question) -> Any:
        def rnn(**options: Any) -> Any:
            return linen.RNN(cells[question.layer](features=question.units), **options)

        return (
            linen.Bidirectional(rnn(), rnn(), return_carry=True) if question.bidirectional else rnn(return_carry=True)
        )

    key = jax.random.key(0)
    prepared = [(model(question), jax.ShapeDtypeStruct(question.input, "float32")) for question in questions]

    def ask() -> None:
        for layer, x in prepared:
            jax.eval_shape(layer.init_with_output, key, x)

    return ask


def torch_meta(questions: Sequence[Question]) -> Callable[[], None]:
    """PyTorch's meta device: tensors with a shape and without values."""
    torch = import_module("torch")
    classes = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple-rnn": torch.nn.RNN}

    def layer(question: Question) -> Any:
        options = {"batch_first": True, "bidirectional": question.bidirectional, "device": "meta"}
        return classes[question.layer](question.channels, question.units, **options)

    prepared = [(layer(question), torch.empty(question.input, device="meta")) for question in questions]

    def ask() -> None:
        for module, x in prepared:
            module(x)

    return ask
