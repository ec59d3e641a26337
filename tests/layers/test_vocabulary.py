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
from rnnshape.layers.objects import class_of
from tests.shared.releases import had, legacy, named, newest, offered, since
from tests.shared.sampling import some
from tests.shared.vocabulary import CLASSES, CONVOLUTIONS, Draft, Drawer, axes, bad, disagreement, good, plain

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
    "LeakyReLU": {"alpha"},
    **{name: {"lora_rank", "lora_alpha"} for name in ("Conv1D", "Conv2D")},
    **{name: {"output_padding"} for name in ("Conv1DTranspose", "Conv2DTranspose")},  # of the signature from 3.11 on
    **{name: {"unroll", *RNN} for name in CONVOLUTIONS},
}


# What a class does not take, or says for itself.
WITHOUT = {
    "ActivityRegularization": {"activity_regularizer"},
    **{f"SpatialDropout{rank}D": {"activity_regularizer", "trainable", "autocast"} for rank in (1, 2)},
}


def signature(name: str) -> dict[str, inspect.Parameter]:
    import keras

    parameters = inspect.signature(getattr(keras.layers, name).__init__).parameters
    return {key: value for key, value in parameters.items() if key not in ("self", "kwargs")}


@pytest.mark.parametrize("name", CLASSES)
def test_the_table_has_the_arguments_of_keras_in_their_order_with_their_defaults(name: str) -> None:
    real, mine = signature(name), {argument.name: argument for argument in offered(TABLE[name].arguments)}
    shared = [key for key in mine if key in real]
    assert shared == list(real)
    later = set(TABLE[name].by_name) - set(mine)
    taken = set(real) | BASE | POPPED.get(name, set()) - later
    assert set(mine) | SHAPES == (taken - WITHOUT.get(name, set())) | SHAPES
    for key, parameter in real.items():
        default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
        assert mine[key].default == default, key
    positional = [argument.name for argument in TABLE[name].by_position]
    assert positional[: len(real)] == list(real)[: len(positional)]


@pytest.mark.parametrize("name", some(CLASSES, 8))
def test_keras_takes_no_other_argument_of_the_table(name: str) -> None:
    others = {key for layer in TABLE.values() for key in layer.by_name} - set(TABLE[name].by_name)
    for key in others - SHAPES - {"layers", "input_length", "weights"}:  # old arguments, which are read with a note
        draft = Draft(name, {**plain(name).values, key: None})
        with pytest.raises(rnnshape.Invalid):
            rnnshape.predict(draft.text)
        assert disagreement(draft, {"input": _input(draft)}) is None, key


# -- the names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", names.LISTS, ids=lambda known: known.what)
def test_the_names_are_those_of_keras(known: names.Names) -> None:
    module: Any = import_module(f"keras.src.{known.what}s")
    spelt_otherwise = {"orthogonal_initializer"}  # of Keras 3.3 to 3.6 alone
    assert sorted(set(module.ALL_OBJECTS_DICT) - spelt_otherwise) == sorted(named(known))
    assert set(known.unmade) <= set(known.known)
    assert not {*names.IDENTITY, *names.ORTHOGONAL} - set(names.INITIALIZERS.usable)


@pytest.mark.parametrize(
    "name", [name for name in CLASSES if any(isinstance(one.kind, arg.AnyCase) for one in TABLE[name].arguments)]
)
def test_keras_takes_these_words_in_upper_case(name: str) -> None:
    for one in offered(TABLE[name].arguments):
        for value in good(one.kind) if isinstance(one.kind, arg.AnyCase) else ():
            if value not in (None, "channels_first"):
                draft = Draft(name, {**plain(name).values, one.name: str(value).upper()})
                report = rnnshape.explore(draft.text, input=_input(draft))
                assert report.ok, (report.error, draft.text)
                assert report.spec.layer[one.name] == value


def test_a_word_in_upper_case_is_not_said_to_stand_without_quotes() -> None:
    with pytest.raises(rnnshape.Invalid, match=r"did you mean 'concat'\?"):
        rnnshape.predict("Bidirectional(LSTM(3), merge_mode='CONCAT')")
    with pytest.raises(rnnshape.Invalid, match="did you mean True, without quotes"):
        rnnshape.predict("LSTM(3, use_cudnn='True')")


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
    arguments = [one for one in offered(TABLE[name].arguments) if not isinstance(one.kind, arg.Nested)]
    alone = {*names.IDENTITY, *names.ORTHOGONAL, *names.ORTHOGONAL_REGULARIZER, "glu", "bfloat16"}
    drafts = []
    rows = zip_longest(*(good(argument.kind) for argument in arguments), fillvalue=REQUIRED)
    for row in rows:
        values = dict(zip((argument.name for argument in arguments), row, strict=True))
        said = {key: value for key, value in values.items() if value is not REQUIRED and class_of(value) not in alone}
        drafts.append(Draft(name, {**plain(name).values, **said}))
        drafts += [
            Draft(name, {**plain(name).values, key: value}) for key, value in values.items() if class_of(value) in alone
        ]
    return drafts


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSES)
def test_each_good_choice_of_each_argument_runs_or_is_refused_by_both(name: str) -> None:
    assert not _told(together(name))


@pytest.mark.parametrize("name", some(CLASSES, 4))
def test_each_bad_choice_of_each_argument_is_refused_by_both(name: str) -> None:
    arguments = [one for one in offered(TABLE[name].arguments) if not isinstance(one.kind, arg.Nested)]
    drafts = [
        Draft(name, {**plain(name).values, argument.name: value})
        for argument in arguments
        for value in bad(argument.kind)
    ]
    assert not _told(drafts)


@pytest.mark.draws
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_half_formed_layers_end_alike(chunk: int) -> None:
    drawer = Drawer(2_000 + chunk, executions=("eager", "graph"))
    runs = [drawer.run() for _ in range(EACH)]
    told = {draft.text: message for draft, options in runs if (message := disagreement(draft, options))}
    assert not told


# -- what real questions found ----------------------------------------------------------------------------------------

MALFORMED = {
    "GRU(3, kernel_regularizer='l1_l2')": "did you mean 'l1l2'?",
    "GRU(2, kernel_initializer='constant')": "use 'zeros' or 'ones'",
    "Dense(2, bias_initializer='Initializer')": "base class",
    "LSTM(3, activation='threshold')": "cannot make from its name",
    "LSTM(3, activation='glu')": "halves the last axis",
    "SimpleRNN(2, activation='glu')": "halves the last axis",
    "LSTM(3, kernel_initializer='glorot_unifrom')": "did you mean 'glorot_uniform'?",
    "LSTM(3, seed=9999999999999999999999)": "seed must be a whole number",
    "LSTM(9999999999999999999999)": "at most 9223372036854775807",
    "Masking(mask_value=1e39)": "from -3.4028236e+38 to 3.4028236e+38",
    "Masking(mask_value=9223372036854775808)": "2**63 - 1",
    "LSTM(3, name='a/b')": "without '/'",
    "Embedding(3, 2, weights=[[0.0, 1.0]])": "set_weights",
    "Dropout(0.5, noise_shape=(0, 1))": "noise_shape must be",
    "LSTM(3, autocast='no')": "True or False",
    "RNN(LSTMCell(3, autocast=False), dtype='float16')": "when a layer gets an input of another dtype",
}


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_malformed_is_told_with_what_is_allowed(text: str) -> None:
    with pytest.raises(rnnshape.Invalid) as caught:
        rnnshape.predict(text)
    assert MALFORMED[text] in caught.value.message


def test_a_mask_value_out_of_range_is_told_of_the_option_too() -> None:
    with pytest.raises(rnnshape.Invalid) as caught:
        rnnshape.predict("lstm", masking=1e39)
    assert [problem.key for problem in caught.value.problems] == ["masking"]


REFUSED: dict[str, dict[str, Any]] = {
    "ConvLSTM2D(2, 2, kernel_initializer='identity')": {},
    "GRU(2, bias_initializer='orthogonal', reset_after=False)": {},
    "LSTM(2, bias_initializer=None)": {},
    "Embedding(3, 2, embeddings_initializer='orthogonal', dtype='bfloat16')": {},
    "GRU(2, return_sequences=True, activity_regularizer='orthogonal_regularizer')": {},
    "RNN(GRUCell(2, dtype='float64', activity_regularizer='orthogonal_regularizer'))": {},
    "Dense(3, activation='glu')": {},
    "Dense(3, lora_rank=2, kernel_constraint='non_neg')": {},
    "Embedding(3, 2, lora_rank=2, embeddings_constraint='unit_norm')": {},
    "Dropout(0.5, noise_shape=(5, 5))": {"training": True},
    "TimeDistributed(TimeDistributed(Bidirectional(ConvLSTM1D(1, 1, return_state=True))))": {},
    "RNN(SimpleRNNCell(4, dropout=1.0), dtype='mixed_float16')": {"training": True},
    "RNN([StackedRNNCells([LSTMCell(4, dropout=0.5)])], dtype='mixed_float16')": {"training": True},
    "RNN([LSTMCell(3, dtype='float16'), SimpleRNNCell(2)])": {"execution": "graph"},
    "RNN([StackedRNNCells([GRUCell(3), GRUCell(1)])], unroll=True)": {"execution": "graph"},
    "Masking(name='a b') | LSTM(3)": {"execution": "graph"},
    "Bidirectional(LSTM(3, name='é'))": {"execution": "xla"},
    "ConvLSTM1D(2, 2, data_format='channels_first', dtype='float64')": {"device": "cpu"},
    "TimeDistributed(ConvLSTM2D(2, 1, data_format='channels_first', dtype='float64'))": {"device": "cpu"},
}


@pytest.mark.parametrize("text", had(REFUSED))
def test_what_keras_refuses_is_known_without_it(text: str) -> None:
    foretold, met = rnnshape.predict(text, **REFUSED[text]), rnnshape.explore(text, **REFUSED[text])
    assert foretold.error is not None
    assert met.error is not None
    assert foretold.error.kind == met.error.kind == "keras"
    assert foretold.error.message.partition(":")[0] == met.error.message.partition(":")[0]
    assert foretold.error.hint == met.error.hint is not None


def test_more_numbers_than_can_be_counted_are_refused_before_memory_is_asked_for() -> None:
    for asked in (rnnshape.predict, rnnshape.explore):
        error = asked("LSTM(1099511627776)").error
        assert error is not None
        assert error.kind == "keras"
        assert "recurrent_kernel" in error.message


RUNS: dict[str, tuple[dict[str, Any], tuple[int, ...], int]] = {
    "Dense(3, lora_rank=2, lora_alpha=8)": ({}, (2, 3), 4 * 3 + 3 + 2 * (4 + 3)),
    "Embedding(5, 3, lora_rank=2, input_length=7)": ({}, (2, 7, 3), 5 * 3 + 2 * (5 + 3)),
    "Embedding(5, 3, input_length='int8')": ({}, (2, 3, 3), 5 * 3),  # Keras looks at no value of it
    "Embedding(5, 3, input_length=-1)": ({}, (2, 3, 3), 5 * 3),
    "TimeDistributed(Dense(3, lora_rank=2, dtype='float16'), dtype='float64')": ({}, (2, 3, 3), 29),
    "Dense(4, activation='glu')": ({}, (2, 2), 20),
    "LSTM(2, activation='glu', seed=-1)": ({}, (2, 2), 56),
    "Bidirectional(LSTM(3), weights=[1, 2], activity_regularizer='l2')": ({}, (2, 6), 192),
    "Dropout(0.5, noise_shape=(2, None), autocast=False)": ({"training": True}, (2, 4), 0),
    "Dropout(0.5, noise_shape=(5, 1, 1))": ({"training": True}, (5, 2, 4), 0),
    "LSTM(3, seed=None)": ({}, (2, 3), 96),
    "TimeDistributed(TimeDistributed(LSTM(4, return_state=True)))": ({}, (3, 3, 5, 2, 4), 144),
    "RNN([StackedRNNCells([SimpleRNNCell(5), GRUCell(1)])], unroll=True)": ({}, (2, 5), 74),
    "LSTM(3, autocast=False, dtype='mixed_float16')": ({}, (2, 3), 96),
    "GRU(3, kernel_initializer='HeNormal', bias_initializer='orthogonal')": ({}, (2, 3), 81),
    "ConvLSTM1D(2, 2, data_format='channels_first', dtype='float64')": ({"execution": "xla"}, (2, 2, 7), 104),
    "TimeDistributed(ConvLSTM1D(2, 1, data_format='channels_first'), dtype='float64')": ({}, (2, 3, 2, 8), 56),
    "GRU(3, dropout=0.5)": ({"training": True, "execution": "xla"}, (2, 3), 81),
}


@pytest.mark.parametrize("text", some(had(RUNS), 4))
def test_what_keras_takes_is_taken(text: str) -> None:
    options, shape, params = RUNS[text]
    report = rnnshape.explore(text, **options)
    assert report.error is None
    assert report.ok
    assert (report.structure.shape, report.params) == (shape, params)


@since("3.14", "a layer can drop everything")
def test_a_rate_of_one_makes_no_mask_of_another_dtype() -> None:
    report = rnnshape.explore("RNN(LSTMCell(4, dropout=1.0), dtype='mixed_float16')", training=True)
    assert (report.ok, report.params) == (True, 144)


def test_what_keras_ignores_is_said() -> None:
    assert rnnshape.predict("Embedding(5, 3, input_length=7)").notes
    assert rnnshape.predict("Bidirectional(LSTM(3), weights=[1, 2])").notes
    assert not rnnshape.predict("Bidirectional(LSTM(3), weights=[])").notes


@newest  # of older releases, the judge lets rnnshape reject more
def test_the_judge_sees_a_layer_that_only_the_tool_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = Draft("LSTM", {"units": 2, "bias_initializer": "he_normal"})
    assert disagreement(draft, {"input": (2, 2, 3)}) is None
    monkeypatch.setitem(names.INITIALIZERS.unmade, "he_normal", "no reason")
    monkeypatch.setattr(arg.Named, "accepts", lambda self, value: value != "he_normal")
    # Another layer: code that was read before is not read again, and the patched kind would not be asked.
    other = Draft("LSTM", {"units": 3, "bias_initializer": "he_normal"})
    assert "Keras runs it" in (disagreement(other, {"input": (2, 2, 3)}) or "")


@legacy
def test_a_slash_in_a_name_is_right_in_keras_2() -> None:
    assert rnnshape.explore("LSTM(3, name='a/b')", keras="2").agrees
