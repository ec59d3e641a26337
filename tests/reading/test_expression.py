"""What can be pasted, what cannot, and what is said then."""

from __future__ import annotations

import inspect
import json
import random
import sys
from typing import TYPE_CHECKING

import pytest

import rnnshape
from rnnshape.errors import Invalid
from rnnshape.layers import TABLE
from rnnshape.layers.arguments import REQUIRED
from rnnshape.reading import make
from tests.shared.hostile import LETS, expression, outcome, program, ran
from tests.shared.releases import offered
from tests.shared.vocabulary import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("LSTM(8)", "LSTM(8)"),
        ("  tf.keras.layers.LSTM(units = 8, use_bias=True)\n", "LSTM(8)"),
        (
            "keras.layers.GRU(8, 'relu', recurrent_activation=None)",
            "GRU(8, activation='relu', recurrent_activation=None)",
        ),
        ("layers.RNN([LSTMCell(4), layers.GRUCell(6)])", "RNN([LSTMCell(4), GRUCell(6)])"),
        ("Bidirectional(LSTM(3), backward_layer=LSTM(4, go_backwards=True))",) * 2,
        ("ConvLSTM2D(3, kernel_size=[3, 5])", "ConvLSTM2D(3, (3, 5))"),
        ("LSTM(8, return_sequences=True)|GRU(4)|Dense(1)", "LSTM(8, return_sequences=True) | GRU(4) | Dense(1)"),
        ("Sequential([LSTM(8, return_sequences=True), GRU(4)])", "LSTM(8, return_sequences=True) | GRU(4)"),
        ("y, h, c = LSTM(8, return_state=True)(x)", "LSTM(8, return_state=True)"),
        ("y, [h, c] = LSTMCell(8)(x, [h0, c0])", "LSTMCell(8)"),
        ("out = Bidirectional(\n    GRU(2),\n    merge_mode=None,\n)", "Bidirectional(GRU(2), merge_mode=None)"),
        ("Dense(3, activation='tan'\n'h')", "Dense(3, activation='tanh')"),
        ("Masking(-1)", "Masking(mask_value=-1)"),
    ],
)
def test_what_is_pasted_is_read(text: str, canonical: str) -> None:
    spec = make(text)
    assert spec.layer.text == canonical
    assert make(canonical).layer == spec.layer


MISTAKES = {
    "LSTM(8, unit=3)": ("LSTM takes no argument unit (did you mean 'units'?)", "unit=3"),
    "LSTMM(8)": ("unknown layer LSTMM (did you mean 'LSTM'?); if it is your own, --import MODULE builds it", "LSTMM"),
    "LSTM()": ("LSTM needs units", "LSTM()"),
    "LSTM(8.0)": ("units must be a whole number, 1 or more", "8.0"),
    "LSTM(True)": ("units must be a whole number, 1 or more", "True"),
    "LSTM(8, units=9)": ("units is given twice", "units=9"),
    "LSTM(8, return_state='no')": ("return_state must be True or False", "'no'"),
    "LSTM(8, activation='tahn')": (
        "activation must be the name of a Keras activation (did you mean 'tanh'?)",
        "'tahn'",
    ),
    "LSTM(n, *more)": ("* is not read: write the arguments out", "*more"),
    "LSTM(8, bias_initializer=Zeros(1))": ("Zeros takes at most 0 arguments by position", "1"),
    "LSTM": ("LSTM must be called: write LSTM(…)", "LSTM"),
    "LSTM(8": ("invalid Python: '(' was never closed", "("),
    "__import__('os').system('ls')": ("a Keras class is expected here", "__import__('os').system"),
    "Bidirectional(LSTM(8), mode='sum')": (
        "Bidirectional takes no argument mode (did you mean 'merge_mode'?)",
        "mode='sum'",
    ),
    "os.LSTM(8)": ("os.LSTM is not a layer of Keras: write the layer as in Keras, such as LSTM(8)", "os.LSTM"),
    "nn.LSTM(10, 20, batch_first=True)": (
        "nn.LSTM is not a layer of Keras: write LSTM(20, return_sequences=True, return_state=True)",
        "nn.LSTM",
    ),
    "from tensorflow.contrib.rnn import GRUCell\ny = GRUCell(num_units=8)": (
        "tensorflow.contrib.rnn.GRUCell is not a layer of Keras: write the layer as in Keras, such as LSTM(8)",
        "GRUCell",
    ),
    "tf.nn.rnn_cell.LSTMCell(8)": (
        "tf.nn.rnn_cell.LSTMCell is not a layer of Keras: write the layer as in Keras, such as LSTM(8)",
        "tf.nn.rnn_cell.LSTMCell",
    ),
    "from torch.nn import GRU\ny = GRU(10, 20)": (
        "torch.nn.GRU is not a layer of Keras: write GRU(20, return_sequences=True, return_state=True)",
        "GRU",
    ),
    "CuDNNLSTM(8, 'zeros')": (
        "CuDNNLSTM has another order of arguments than LSTM: name all but the first",
        "CuDNNLSTM(8, 'zeros')",
    ),
    "LSTM(8, time_major=True)": (
        "LSTM takes no time_major: it was removed in Keras 3, which is always batch first (N, T, C): drop it and transpose the input",
        "time_major=True",
    ),
    "SimpleRNN(8, implementation=1)": (
        "SimpleRNN takes no implementation: it has no effect on this class; only LSTM, GRU and their cells have two implementations: drop it",
        "implementation=1",
    ),
    "LSTMCell(8, return_state=True)": (
        "LSTMCell takes no return_state: it belongs to the layer around the cell: write RNN(LSTMCell(…), return_state=True)",
        "return_state=True",
    ),
    "Bidirectional(LSTMCell(8))": (
        "Bidirectional takes a recurrent layer, and LSTMCell is a cell: write RNN(LSTMCell(8))",
        "LSTMCell(8)",
    ),
    "RNN(LSTM(8))": ("RNN takes an RNN cell, or a list of cells, and LSTM is a whole layer: use LSTMCell", "LSTM(8)"),
    "Bidirectional(Dense(8))": ("Bidirectional takes a recurrent layer, which Dense is not", "Dense(8)"),
    "StackedRNNCells(LSTMCell(8))": ("cells must be a list: [LSTMCell(8)]", "LSTMCell(8)"),
    "StackedRNNCells([])": ("cells: must be a list of at least one cell", "[]"),
    "RNN([])": ("cell: must be a list of at least one cell", "[]"),
    "RNN(cell=())": ("cell: must be a list of at least one cell", "()"),
    "RNN(StackedRNNCells([]))": ("cells: must be a list of at least one cell", "[]"),
    "Bidirectional(RNN([]))": ("cell: must be a list of at least one cell", "[]"),
    "Sequential([])": ("layers: must be a list of at least one layer", "[]"),
    "LSTMCell(8)(x, h)": (
        "pass the states as a list, [state_h, state_c], not as one tensor",
        "h",
    ),
    "LSTMCell(8)(x)": ("LSTMCell needs the input of one step and the states: cell(x, states)", "LSTMCell(8)(x)"),
    "LSTM(8)(x, mask=[[True]])": (
        "a mask is an array or a tensor, not a list: tf.constant([[True, False]])",
        "[[True]]",
    ),
    "LSTM(8)(x, mask=tf.constant([True, False]))": (
        "a mask has one row for each sample, with True or False for each step: (N, T)",
        "tf.constant([True, False])",
    ),
    "LSTM(8)(x, constants=c)": (
        "only the input, initial_state, mask and training can be given in the call of LSTM",
        "constants=c",
    ),
    "LSTM(8)(x, training=1)": ("training must be True or False", "1"),
    "LSTM(8)(x, initial_state=[h])": (
        "pass the states as [state_h, state_c]: 1 is given here, in another number or nesting",
        "[h]",
    ),
    "LSTM(8)(x, initial_state=tf.zeros((2, 8)))": (
        "pass the states as a list, [state_h, state_c], not as one tensor",
        "tf.zeros((2, 8))",
    ),
    "LSTM(8)(x, initial_state=[h, tf.zeros((1, 8))])": (
        "state_c must be (N, H) = (2, 8), not (1, 8); Keras would broadcast it to all samples without an error",
        "tf.zeros((1, 8))",
    ),
    "GRU(8)(x, initial_state=[np.zeros(shape=(2, 4))])": (
        "state must be (N, H) = (2, 8), not (2, 4)",
        "np.zeros(shape=(2, 4))",
    ),
    "LSTM(8)(x, initial_state=[encoder_c, d])": (
        "encoder_c is in the place of state_h: the order is h, then c",
        "encoder_c",
    ),
    "Bidirectional(GRU(8))(x, initial_state=[s, forward_state])": (
        "forward_state is in the place of backward_state: the forward states come first",
        "forward_state",
    ),
    "RNN([GRUCell(2), LSTMCell(3)])(x, initial_state=[a, b, c])": (
        "pass the states as [[cell0_state], [cell1_state_h, cell1_state_c]]: 3 are given here, "
        "in another number or nesting",
        "[a, b, c]",
    ),
    "LSTM(8) | LSTMCell(8)": ("LSTMCell is a cell, which computes one step: write RNN(LSTMCell(8))", "LSTMCell(8)"),
    "Bidirectional(LSTM(8, go_backwards=True))": (
        "layer: remove go_backwards from the layer: Bidirectional creates the backward layer itself",
        "Bidirectional(LSTM(8, go_backwards=True))",
    ),
    "ConvLSTM2D(3, 3, strides=2, dilation_rate=2)": (
        "dilation_rate: must be 1 if strides is more than 1: Keras supports only one of the two",
        "ConvLSTM2D(3, 3, strides=2, dilation_rate=2)",
    ),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_has_its_place(text: str) -> None:
    message, place = MISTAKES[text]
    with pytest.raises(Invalid) as caught:
        make(text)
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.span is not None
    assert caught.value.text is not None
    assert caught.value.text[slice(*problem.span)] == place


WITHOUT_PLACE = {
    "LSTM(8); GRU(8)": "this code has 2 layers or models, but only one is allowed here; see rnnshape show",
    "LSTM(64) | GRU(32) | Dense(10)": "GRU(32) needs (N, T, C) but LSTM(64) returns (N, H): give layer 1 `return_sequences=True`",
    "LSTM(8, return_state=True) | Dense(1)": "layer 1, LSTM(8, return_state=True), returns 3 values (output, state_h, state_c), "
    "but the next layer takes one: drop return_state=True from layer 1",
    "Bidirectional(GRU(8), merge_mode=None) | Dense(1)": "layer 1, Bidirectional(GRU(8), merge_mode=None), returns 2 values "
    "(forward_output, backward_output), but the next layer takes one: drop merge_mode=None from layer 1",
    "a, b = LSTM(8, return_state=True)(x)": "2 names are on the left, but the call returns 3 values: output, state_h, state_c",
    "a, b = LSTM(8)(x)": "2 names are on the left, but the call returns one tensor, which Python would split along the batch: "
    "with return_state=True it returns 3 values: output, state_h, state_c",
    "a, b = Dense(8)(x)": "2 names are on the left, but the call returns one tensor, which Python would split along the batch",
    "ConvLSTM1D(3, 40)": "the kernel is larger than X=8: with padding='valid' X must be at least dilation_rate * (kernel_size - 1) "
    "+ 1; make it larger or use padding='same'",
    "Bidirectional(GRU(2), merge_mode='sum', backward_layer=GRU(3, go_backwards=True))": "merge_mode='sum' cannot merge (2, 2) and "
    "(2, 3): give both directions the same width, or use merge_mode=None",
}


@pytest.mark.parametrize("text", WITHOUT_PLACE)
def test_what_cannot_flow_says_what_to_change(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(text)
    assert [problem.message for problem in caught.value.problems] == [WITHOUT_PLACE[text]]


def test_the_message_comes_with_a_caret(run: Callable[..., Ran]) -> None:
    ran = run("show", "Bidirectional(LSTM(8, unit=3),\n  merge_mod='sum')")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "rnnshape: error: LSTM takes no argument unit (did you mean 'units'?)\n"
        "    Bidirectional(LSTM(8, unit=3),\n"
        "                          ^~~~~~\n"
        "rnnshape: error: Bidirectional takes no argument merge_mod (did you mean 'merge_mode'?)\n"
        "      merge_mod='sum')\n"
        "      ^~~~~~~~~~~~~~~\n"
    )


@pytest.mark.slow
def test_hostile_text_is_an_error_and_nothing_else(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    rng = random.Random(5)
    outcome("LSTM(é)")  # Python's own reader imports unicodedata for a name that is not ASCII
    before = set(sys.modules)
    ends = {outcome(expression(rng)) for _ in range(5_000)}
    assert ends == {"an error", "a layer"}
    assert set(sys.modules) == before
    assert not list(type(tmp_path)(str(tmp_path)).iterdir())  # type: ignore[attr-defined]


@pytest.mark.slow
def test_hostile_programs_are_an_error_or_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = random.Random(6)
    make("LSTM(8)")
    before = set(sys.modules)
    ends = {ran(program(rng), rng.choice(LETS)) for _ in range(1_000)}
    assert ends == {"an error", "a layer"}
    assert set(sys.modules) - before <= {"unicodedata"}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "model.add(LSTM(8))\n" * 10_000,
        "x = LSTM(8)(x)\n" * 10_000,
        "a = b\nb = a\nlayer = LSTM(a)\n" * 3_000,
        "model = Sequential([LSTM(8)])\n" + "model.add(model)\n" * 40,
    ],
    ids=["add", "chain", "cycle", "doubling"],
)
@pytest.mark.slow
def test_a_paste_without_measure_ends(text: str) -> None:
    assert ran(text, {}) in ("an error", "a layer")


def test_a_cycle_of_names_is_a_size_of_its_own() -> None:
    spec = make("a = b\nb = a\nlayer = LSTM(a)")
    assert spec.layer["units"] == 7 or spec.layer["units"].text in ("a", "b")


@pytest.mark.parametrize("name", [name for name in TABLE if name != "Sequential"])
def test_arguments_stand_in_the_order_of_keras(name: str) -> None:
    from rnnshape.lab.tensorflow import load

    theirs = inspect.signature(getattr(load().keras.layers, name).__init__).parameters
    layer = TABLE[name]
    ours = offered(layer.arguments[: layer.positional])
    positional = [parameter for key, parameter in theirs.items() if key not in ("self", "kwargs")]
    assert [argument.name for argument in ours] == [parameter.name for parameter in positional][: len(ours)]
    for argument, parameter in zip(ours, positional, strict=False):
        default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
        assert argument.default == default, (name, argument.name)


def test_every_class_is_answered_by_show(run: Callable[..., Ran]) -> None:
    examples = [
        "LSTM(3)", "GRU(3)", "SimpleRNN(3)", "LSTMCell(3)", "GRUCell(3)", "SimpleRNNCell(3)",
        "StackedRNNCells([LSTMCell(3), GRUCell(4)])", "RNN(GRUCell(3))", "RNN([LSTMCell(3), GRUCell(4)], return_state=True)",
        "Bidirectional(LSTM(3), backward_layer=GRU(4, go_backwards=True))", "ConvLSTM1D(3, 2)", "ConvLSTM2D(3, 2)",
        "ConvLSTM3D(3, 2)", "TimeDistributed(LSTM(3))", "Masking()", "Embedding(9, 4)", "Dense(3)", "Dropout(0.5)",
        "Embedding(9, 4, mask_zero=True) | Bidirectional(LSTM(3))",
    ]  # fmt: skip
    examples += [plain(name).text for name in TABLE if name != "Sequential"]
    named = set()
    for text in examples:
        ran = run("show", text, "-f", "json")
        report = json.loads(ran.out)
        assert (ran.code, ran.err, report["ok"]) == (0, "", True), text
        named |= {part.name for part in make(text).layer.walk()}
    assert named == set(TABLE)


@pytest.mark.parametrize("command", ["conv-lstm1d", "conv-lstm2d", "conv-lstm3d", "embedding", "dense"])
def test_the_common_ones_have_a_command(command: str, run: Callable[..., Ran]) -> None:
    assert json.loads(run(command, "-f", "json").out)["ok"] is True


def test_space_has_its_letters() -> None:
    report = rnnshape.predict(
        "ConvLSTM2D(5, (2, 3), strides=2, padding='valid', return_state=True)", input=(2, 3, 9, 8, 4)
    )
    output = report.structure.items[0]
    assert (output.symbolic, output.shape) == (("N", "X'", "Y'", "H"), (2, (9 - 2) // 2 + 1, (8 - 3) // 2 + 1, 5))
    assert report.notes == (
        "X' = floor((X - dilation*(kernel-1) - 1) / stride) + 1 = floor((9 - 1*(2-1) - 1) / 2) + 1 = 4",
        "Y' = floor((Y - dilation*(kernel-1) - 1) / stride) + 1 = floor((8 - 1*(3-1) - 1) / 2) + 1 = 3",
    )
    same = rnnshape.predict("ConvLSTM1D(5, 3, padding='same')", input=(2, 3, 9, 4)).structure
    assert (same.symbolic, same.shape) == (("N", "X", "H"), (2, 9, 5))


@pytest.mark.parametrize(
    ("first", "second", "wired"),
    [
        ("LSTM(8, return_state=True)", "LSTM(8)", "[state_h, state_c]"),
        ("GRU(8, return_state=True, return_sequences=True)", "GRU(8, return_sequences=True)", "[state]"),
        (
            "Bidirectional(LSTM(8, return_state=True))",
            "LSTM(16)",
            "[tf.concat([forward_state_h, backward_state_h], axis=-1), tf.concat([forward_state_c, backward_state_c], axis=-1)]",
        ),
        (
            "Bidirectional(LSTM(8, return_state=True))",
            "Bidirectional(LSTM(8))",
            "[forward_state_h, forward_state_c, backward_state_h, backward_state_c]",
        ),
        (
            "RNN([LSTMCell(3), GRUCell(4)], return_state=True)",
            "RNN([LSTMCell(3), GRUCell(4)], return_state=True)",
            "[[cell0_state_h, cell0_state_c], [cell1_state]]",
        ),
    ],
)
def test_an_encoders_states_begin_a_decoder(first: str, second: str, wired: str) -> None:
    report = rnnshape.explore(first, into=second)
    assert report.ok
    assert report.wiring is not None
    assert report.wiring.initial_state == wired
    assert report.wiring.observed == report.wiring.predicted


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("LSTM(8)", "LSTM(8)", "LSTM(8) does not return its states: add return_state=True"),
        (
            "LSTM(8, return_state=True)",
            "LSTM(16)",
            "state_h is 8 wide, and LSTM(16) needs 16: give it units=8",
        ),
        (
            "GRU(8, return_state=True)",
            "LSTM(8)",
            "GRU(8, return_state=True) passes on 1 state (state), and LSTM(8) needs 2 (state_h, state_c)",
        ),
        (
            "Bidirectional(LSTM(8, return_state=True))",
            "LSTM(8)",
            "forward_state_h and backward_state_h are together 16 wide, and LSTM(8) needs 8: give it units=16",
        ),
        (
            "LSTM(8, return_state=True)",
            "Dense(8)",
            "Dense(8) takes no initial_state: only a recurrent layer does",
        ),
    ],
)
def test_states_that_do_not_fit_are_told_before_keras_is_asked(first: str, second: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(first, {"into": second})
    assert [(problem.key, problem.message) for problem in caught.value.problems] == [("into", message)]


PROGRAMS = [
    ("LSTM(3, return_sequences=True, return_state=True)", {}),
    ("GRUCell(3)", {}),
    (
        "Embedding(9, 4) | Bidirectional(GRU(3, return_sequences=True)) | RNN([LSTMCell(3), GRUCell(4)], return_state=True)",
        {},
    ),
    ("Bidirectional(LSTM(8, return_state=True, dtype='float16'), merge_mode=None)", {}),
    ("Bidirectional(LSTM(3, return_state=True))", {"into": "LSTM(6, return_sequences=True)"}),
]


@pytest.mark.parametrize(("text", "options"), PROGRAMS)
def test_the_program_that_is_printed_runs_and_prints_what_it_says(
    text: str, options: dict[str, str], run: Callable[..., Ran], capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [part for key, value in options.items() for part in (f"--{key}", value)]
    program = run("show", text, *flags, "--code").out
    said = [line.split("  # ")[1].split(" = ")[0] for line in program.splitlines() if line.startswith("print")]
    exec(program, {})  # noqa: S102  this is what a person would run
    assert capsys.readouterr().out.splitlines() == said
    assert said
