"""The vocabulary on the real layer: each argument, each name and each refusal of theory against Keras' own."""

from __future__ import annotations

import inspect
from importlib import import_module
from itertools import zip_longest
from typing import Any

import pytest

import rnnshape
from rnnshape.layers import TABLE, names
from rnnshape.layers import arguments as arg
from rnnshape.layers.arguments import REQUIRED
from tests.vocabulary import CLASSES, CONVOLUTIONS, Draft, Drawer, axes, bad, disagreement, good, plain

CHUNKS, EACH = 10, 60

# -- the table of arguments -------------------------------------------------------------------------------------------

# What the base class of all layers takes, and what it does not say in its signature but pops from its keywords.
BASE = {"activity_regularizer", "trainable", "dtype", "autocast", "name"}
SHAPES = {"input_shape", "input_dim"}
RNN = {"zero_output_for_mask"}
# What a class takes by ``kwargs`` beside what its own bases take, and where.
POPPED = {
    "LSTM": {"implementation", *RNN},
    "GRU": {"implementation", *RNN},
    "SimpleRNN": RNN,
    "LSTMCell": {"implementation"},
    "GRUCell": {"implementation"},
    "Embedding": {"input_length"},
    **{name: {"unroll", *RNN} for name in CONVOLUTIONS},
}


def signature(name: str) -> dict[str, inspect.Parameter]:
    import keras

    parameters = inspect.signature(getattr(keras.layers, name).__init__).parameters
    return {key: value for key, value in parameters.items() if key not in ("self", "kwargs")}


@pytest.mark.parametrize("name", CLASSES)
def test_the_table_has_the_arguments_of_keras_in_their_order_with_their_defaults(name: str) -> None:
    real, mine = signature(name), TABLE[name].by_name
    shared = [key for key in mine if key in real]
    assert shared == list(real)
    assert set(mine) | SHAPES == set(real) | BASE | SHAPES | POPPED.get(name, set())
    for key, parameter in real.items():
        default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
        assert mine[key].default == default, key
    positional = [argument.name for argument in TABLE[name].arguments[: TABLE[name].positional]]
    assert positional[: len(real)] == list(real)[: len(positional)]


@pytest.mark.parametrize("name", CLASSES)
def test_keras_takes_no_other_argument_of_the_table(name: str) -> None:
    others = {key for layer in TABLE.values() for key in layer.by_name} - set(TABLE[name].by_name)
    for key in others - SHAPES - {"layers"}:
        draft = Draft(name, {**plain(name).values, key: None})
        with pytest.raises(rnnshape.Invalid):
            rnnshape.predict(draft.text)
        assert disagreement(draft, {"input": _input(draft)}) is None, key


# -- the names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", names.LISTS, ids=lambda known: known.what)
def test_the_names_are_those_of_keras(known: names.Names) -> None:
    module: Any = import_module(f"keras.src.{known.what}s")
    assert sorted(module.ALL_OBJECTS_DICT) == sorted(known.known)
    assert set(known.unmade) <= set(known.known)
    assert not {*names.IDENTITY, *names.ORTHOGONAL} - set(names.INITIALIZERS.usable)


# -- every choice of every argument, then random draws ----------------------------------------------------------------


def _input(draft: Draft) -> tuple[int, ...]:
    sizes = {"N": 2, "T": 2, "C": 3, "X": 3}
    return tuple(sizes[axis] for axis in axes(draft))


def _told(drafts: list[Draft]) -> dict[str, str]:
    said = {draft.text: disagreement(draft, {"input": _input(draft)}) for draft in drafts}
    return {text: message for text, message in said.items() if message is not None}


def together(name: str) -> list[Draft]:
    """Layers that between them have each good choice of each argument: the first of all, the second of all …

    A choice that Keras refuses hides the others of its layer, so those stand alone.
    """
    arguments = [argument for argument in TABLE[name].arguments if not isinstance(argument.kind, arg.Nested)]
    alone = {*names.IDENTITY, *names.ORTHOGONAL, *names.ORTHOGONAL_REGULARIZER, "glu", "bfloat16"}
    drafts = []
    rows = zip_longest(*(good(argument.kind) for argument in arguments), fillvalue=REQUIRED)
    for row in rows:
        values = dict(zip((argument.name for argument in arguments), row, strict=True))
        said = {key: value for key, value in values.items() if value is not REQUIRED and value not in alone}
        drafts.append(Draft(name, {**plain(name).values, **said}))
        drafts += [Draft(name, {**plain(name).values, key: value}) for key, value in values.items() if value in alone]
    return drafts


@pytest.mark.parametrize("name", CLASSES)
def test_each_good_choice_of_each_argument_runs_or_is_refused_by_both(name: str) -> None:
    assert not _told(together(name))


@pytest.mark.parametrize("name", CLASSES)
def test_each_bad_choice_of_each_argument_is_refused_by_both(name: str) -> None:
    arguments = [argument for argument in TABLE[name].arguments if not isinstance(argument.kind, arg.Nested)]
    drafts = [
        Draft(name, {**plain(name).values, argument.name: value})
        for argument in arguments
        for value in bad(argument.kind)
    ]
    assert not _told(drafts)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_half_formed_layers_end_alike(chunk: int) -> None:
    drawer = Drawer(2_000 + chunk, executions=("eager", "graph"))
    runs = [drawer.run() for _ in range(EACH)]
    told = {draft.text: message for draft, options in runs if (message := disagreement(draft, options))}
    assert not told
