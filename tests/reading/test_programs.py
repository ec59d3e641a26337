"""Whole programs: each answer has the shapes and the parameters of the real model, and what is not followed has a note."""

from __future__ import annotations

from typing import Any

import pytest

import rnnshape
from rnnshape.lab.tensorflow import load
from rnnshape.reading import make_all
from rnnshape.structure import leaves

HEAD = """
import keras, tensorflow as tf
from keras import Input, Model, Sequential
from keras.layers import GRU, LSTM, Add, Dense, Dropout, Layer
"""
BUILDER = """
class Builder:
    def build(self, width=9):
        return Sequential([Input((10, 4)), LSTM(width)])
    @staticmethod
    def gru(width=9):
        return Sequential([Input((10, 4)), GRU(width)])
"""
NET = """
class Net(Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = LSTM(5), GRU(6)
        self.out = Dense(2)
        self.fed = [(10, 4), (7, 3)]
    def call(self, inputs):
        left, right = inputs
        return self.out(tf.concat([self.a(left), self.b(right)], -1))
net = Net()
"""
BLOCK = """
class Block(Model):
    def __init__(self, units):
        super().__init__()
        self.rnn = LSTM(units, return_sequences=True)
    def call(self, x):
        return self.rnn(x)
"""
FOLLOWED = {
    "a model in a Sequential keeps its Input": (
        "inner = Sequential([Input((10, 4)), LSTM(4, return_sequences=True), Dense(5)])\n"
        "model = Sequential([inner, Dense(3)])",
        ["model"],
    ),
    "a shape in build": (
        "model = Sequential([LSTM(4, return_sequences=True), GRU(6)])\nmodel.build((None, 10, 5))\n"
        "sub = Model(model.inputs, model.layers[0].output)",
        ["model", "sub"],
    ),
    "tensors that change places": (
        "x = Input((10, 3))\na, b = LSTM(4)(x), GRU(6)(x)\na, b = b, a\nmodel = Model(x, [Dense(2)(a), b])",
        ["model"],
    ),
    "sizes that change places": (
        "a, b = 4, 8\na, b = b, a\nmodel = Sequential([Input((10, 3)), LSTM(a, return_sequences=True), GRU(b)])",
        ["model"],
    ),
    "sizes after a star": (
        "first, *others = [4, 6, 8]\n*before, last = (3, 5)\n"
        "model = Sequential([Input((10, 3)), LSTM(first, return_sequences=True), GRU(others[1] + before[0]), Dense(last)])",
        ["model"],
    ),
    "models in a dictionary": (
        "def build(width=5):\n    return Sequential([Input((10, 4)), LSTM(width)])\n"
        "models = {'small': build(8), 'large': build(16)}\nsmall, large = models['small'], models['large']",
        ["small", "large"],
    ),
    "layers in a dictionary of a class": (
        "class Net(Model):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.parts = {'front': GRU(5, return_sequences=True), 'behind': GRU(6)}\n"
        "    def call(self, x):\n"
        "        return self.parts['behind'](self.parts['front'](x))\n"
        "net = Net()\nnet(tf.zeros((2, 10, 4)))",
        ["net"],
    ),
    "a method with an argument": (BUILDER + "model = Builder().build(16)", ["model", "Builder.gru()"]),
    "a static method with an argument": (BUILDER + "model = Builder.gru(width=8)", ["Builder().build()", "model"]),
    "a method of a named object": (BUILDER + "b = Builder()\nmodel = b.build(16)", ["model", "Builder.gru()"]),
    "a call on two tensors": (NET + "net((tf.zeros((2, 10, 4)), tf.zeros((2, 7, 3))))", ["net"]),
    "a call in a function": (
        BLOCK + "def run(batch):\n    global net\n    net = Block(6)\n    return net(batch)\nrun(tf.zeros((2, 10, 4)))",
        ["net"],
    ),
}
TOLD = {
    "a model has one place in layers": (
        "head = Sequential([Dense(3), Dropout(0.1)])\nmodel = Sequential([Input((10, 4)), GRU(8), head])\n"
        "sub = Model(model.inputs, model.layers[-1].output)",
        "output 0 of the model, model.layers[-1].output, is not followed",
    ),
    "a model that is called has one place in layers": (
        "i = Input((10, 4))\ninner = Model(i, Dense(3)(LSTM(6, return_sequences=True)(i)))\n"
        "x = Input((10, 4))\nmodel = Model(x, GRU(5)(inner(x)))\nsub = Model(model.inputs, model.layers[2].output)",
        "output 0 of the model, model.layers[2].output, is not followed",
    ),
    "functions in a dictionary": (
        "def build(width=5):\n    return Sequential([Input((10, 4)), LSTM(width)])\nMODELS = {'a': build}\nMODELS['a'](8)",
        "build is read with the defaults of its arguments: its calls are not followed",
    ),
    "a function that is passed": (
        "def build(width=5):\n    return Sequential([Input((10, 4)), LSTM(width)])\n"
        "def run(make, *given):\n    return make(*given)\nrun(build, 8)",
        "build is read with the defaults of its arguments: its calls are not followed",
    ),
    "a base class": (
        "class Base:\n    def __init__(self, width=5):\n        self.width = width\n"
        "class Child(Base):\n    def build(self):\n        return Sequential([Input((10, 4)), LSTM(self.width)])\n"
        "Child(width=8).build()",
        "Base is read with the defaults of its arguments: its calls are not followed",
    ),
    "a method that is called twice": (
        BUILDER + "Builder.gru(8)\nBuilder.gru(16)",
        "Builder.gru(16) is not followed: what it makes is read once, as of Builder.gru(8)",
    ),
    "a class with two objects": (
        BLOCK + "a, b = Block(8), Block(16)",
        "Block(16) is not followed: what it makes is read once, as of Block(8)",
    ),
    "an object within an object": (
        BLOCK + "class Net(Model):\n"
        "    def __init__(self):\n        super().__init__()\n        self.block, self.tail = Block(5), LSTM(4)\n"
        "    def call(self, x):\n        return self.tail(self.block(x))\n"
        "net = Net()\nnet(tf.zeros((2, 10, 4)))",
        "self.block(x) is not followed: a default shape is used for it",
    ),
    "a result that is not read": (
        "class Net(Model):\n"
        "    def __init__(self):\n        super().__init__()\n        self.a, self.b = LSTM(5), GRU(5)\n"
        "    def call(self, x):\n        return tf.stack([self.a(x), self.b(x)], axis=1)\n"
        "net = Net()\nnet(tf.zeros((2, 10, 4)))",
        "tf.stack([self.a(x), self.b(x)], axis=1) is not followed: the answer ends there",
    ),
    "the attribute of another object": (
        "class Sizes:\n    def __init__(self, **given):\n        self.__dict__.update(given)\n"
        "units, sizes = 8, Sizes(units=4)\nmodel = Sequential([Input((10, 4)), LSTM(sizes.units)])",
        "units (sizes.units) is not given: 7 is used instead; --let units=… sets it",
    ),
}


def run(code: str) -> dict[str, Any]:
    """The names of a program after Keras has run it."""
    load()
    there: dict[str, Any] = {"__name__": "__main__"}
    exec(HEAD + code, there)  # noqa: S102  our own code
    return there


def real(model: Any) -> tuple[list[tuple[int, ...]], int]:
    """The shapes that a model returns for two samples, and the number of its parameters."""
    import keras

    own = getattr(model, "inputs", None)  # a subclass has none
    sizes = [one.shape[1:] for one in own] if own else getattr(model, "fed", [(10, 4)])
    fed = [keras.ops.zeros((2, *size)) for size in sizes]
    shapes = [tuple(one.shape) for one in keras.tree.flatten(model(fed if fed[1:] else fed[0]))]
    return shapes, model.count_params()


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_answers_are_those_of_the_real_models(name: str) -> None:
    code, models = FOLLOWED[name]
    there = run(code)
    specs = make_all(HEAD + code, {})
    answers = [rnnshape.predict(spec) for spec in specs]
    assert not any(spec.notes for spec in specs)
    seen = [([leaf.shape for leaf in leaves(answer.predicted)], answer.params) for answer in answers]
    assert seen == [real(eval(model, there)) for model in models]  # noqa: S307  our own code


@pytest.mark.parametrize("name", TOLD)
def test_what_is_not_followed_has_a_note(name: str) -> None:
    code, note = TOLD[name]
    run(code)  # Keras takes it
    assert any(note in one for spec in make_all(HEAD + code, {}) for one in spec.notes)
