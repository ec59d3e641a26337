"""The states that a layer keeps between calls, its initial states, and dropout in training; on the real layer."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import rnnshape
from rnnshape.layers.release import asked
from rnnshape.reading import make
from rnnshape.theory.predict import predict
from tests.shared.releases import since
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.report import Report
    from tests.conftest import Ran

RECURRENT = ("LSTM(3", "GRU(3", "SimpleRNN(3", "RNN(LSTMCell(3)", "RNN([GRUCell(2), LSTMCell(3)]", "ConvLSTM1D(2, 3")


def verdicts(report: Report) -> dict[str, tuple[bool, bool | None]]:
    """For each check between calls, whether it is guaranteed and whether it holds."""
    assert report.ok, (report.error, report.checks)
    return {check.check: (check.guaranteed, check.holds) for check in report.checks if "layer(x" in check.check}


def seen(layer: str, **options: Any) -> dict[str, tuple[bool, bool | None]]:
    return verdicts(rnnshape.explore(layer, **options))


# ── calls ──


@pytest.mark.parametrize("layer", some(RECURRENT, 3))
@pytest.mark.parametrize(
    "flags", ["", "return_sequences=True, return_state=True", "go_backwards=True, return_state=True"]
)
def test_what_is_kept_between_calls(layer: str, flags: str) -> None:
    forgets = seen(f"{layer}, {flags})", calls=3)
    assert {check: told for check, told in forgets.items() if "(...)" not in check} == {
        "call2 == layer(x)": (True, True),
        "call3 == layer(x)": (True, True),
        "halves == layer(x)": (True, True),
    }
    keeps = seen(f"{layer}, stateful=True, {flags})", calls=2)
    assert keeps["call2 == layer(x)"] == (False, False)
    assert keeps["call2 == layer(x, initial_state=states)"] == (True, True)
    assert keeps["halves == layer(x)"] == (True, True)
    assert keeps.get("after_reset == layer(x)") == (None if "[" in layer else (True, True))


def test_a_bidirectional_is_not_its_halves() -> None:
    for merge_mode in ("concat", None):
        layer = f"Bidirectional(GRU(3, return_sequences=True, stateful=True), merge_mode={merge_mode!r})"
        keeps = seen(layer, calls=2)
        assert keeps["halves == layer(x)"] == (False, False)
        assert keeps["call2 == layer(x, initial_state=states)"] == (True, True)
        assert keeps["after_reset == layer(x)"] == (True, True)


def test_two_unlike_directions_hand_no_states_on() -> None:
    layer = "Bidirectional(LSTM(2, stateful=True), backward_layer=GRU(2, go_backwards=True, stateful=True))"
    assert seen(layer, calls=2) == {"call2 == layer(x)": (False, False), "after_reset == layer(x)": (True, True)}


@pytest.mark.slow
def test_halves_under_a_mask() -> None:
    """The states are passed on, but an output that repeats one of the first half is zero."""
    layer = "GRU(3, return_sequences=True, return_state=True)"
    assert seen(layer, calls=2, mask="right:4,3", time=4)["halves == layer(x)"] == (True, True)
    assert seen(layer, calls=2, mask="1101;1111", time=4)["halves == layer(x)"] == (False, False)
    assert seen(layer, calls=2, mask="1010;1111", time=4)["halves == layer(x)"] == (True, True)
    zeroed = "GRU(3, return_sequences=True, return_state=True, zero_output_for_mask=True)"
    assert seen(zeroed, calls=2, mask="1101;1111", time=4)["halves == layer(x)"] == (True, True)


def test_a_state_that_is_handed_in_comes_before_what_was_kept() -> None:
    keeps = seen("LSTM(3, stateful=True)", calls=2, initial_state="random")
    assert keeps["call2 == layer(x)"] == (True, True)
    assert "call2 == layer(x, initial_state=states)" not in keeps


def test_a_stateful_layer_refuses_another_batch(run: Callable[..., Ran]) -> None:
    error = "ValueError" if asked() >= (3, 12) else "InvalidArgumentError"
    report = rnnshape.explore("LSTM(3, stateful=True)", calls=2)
    assert report.calls is not None
    assert report.calls.to_dict() == {
        "count": 2,
        "stateful": True,
        "carried": ["state_h", "state_c"],
        "other_batch": {"size": 3, "error": error},
    }
    assert f"another batch size (3) raises {error}" in run("lstm", "--stateful", "--calls", "2").out
    assert "Calls        2; no state is kept between them" in run("lstm", "--calls", "2").out


def test_a_stack_of_layers_is_called_again_too() -> None:
    assert seen("GRU(3, return_sequences=True) | LSTM(2)", calls=2) == {"call2 == layer(x)": (True, True)}
    keeps = seen("GRU(3, return_sequences=True, stateful=True) | Dense(2)", calls=2)
    assert keeps == {"call2 == layer(x)": (False, False), "after_reset == layer(x)": (True, True)}


def test_stacked_cells_cannot_be_reset_and_the_report_says_so() -> None:
    report = rnnshape.explore("RNN([GRUCell(2), LSTMCell(3)], stateful=True)", calls=2)
    assert report.quirks == ("A stateful stack of cells cannot be reset",)
    assert report.to_dict()["quirks"] == [{"page": "docs/keras-quirks.md", "heading": report.quirks[0]}]


# ── initial states ──


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "form"),
    {
        "LSTM(3)": "[state_h_0, state_c_0]",
        "GRU(3)": "[state_0]",
        "RNN([GRUCell(2), LSTMCell(3)])": "[[cell0_state_0], [cell1_state_h_0, cell1_state_c_0]]",
        "RNN([LSTMCell(3)])": "[[cell0_state_h_0, cell0_state_c_0]]",
        "Bidirectional(LSTM(3))": "[forward_state_h_0, forward_state_c_0, backward_state_h_0, backward_state_c_0]",
        "ConvLSTM2D(2, 3)": "[state_h_0, state_c_0]",
        "Dropout(0.5) | LSTM(3) | Dense(2)": "[state_h_0, state_c_0]",
    }.items(),
)
def test_the_form_of_an_initial_state_is_code(layer: str, form: str) -> None:
    options = {"input": (2, 3, 4)} if "Dropout" in layer else {}
    for fill in ("zeros", "ones", "random"):
        report = rnnshape.explore(layer, initial_state=fill, **options)
        assert report.ok, report.error
        assert report.to_dict()["initial_state"] == form
        assert f"initial_state={form}" in report.unpacking
    assert verdicts(rnnshape.explore(layer, initial_state="zeros", calls=2, **options))["call2 == layer(x)"] == (
        True,
        True,
    )


def test_the_states_that_are_handed_in_are_those_that_are_used() -> None:
    """Without a valid step, the returned states are the passed ones."""
    import numpy as np

    for fill, check in (("zeros", np.zeros), ("ones", np.ones)):
        report = rnnshape.explore("LSTM(3, return_state=True)", mask="000;000", initial_state=fill)
        for state in report.values[1:]:
            assert np.array_equal(state, check((2, 3)))
    drawn = rnnshape.explore("LSTM(3, return_state=True)", mask="000;000", initial_state="random").values[1:]
    assert not np.array_equal(*drawn)
    both = rnnshape.explore("Bidirectional(GRU(3, return_state=True))", mask="000;000", initial_state="random")
    assert [check.exact for check in both.checks if "_0[empty]" in check.check] == [True, True]
    cell = rnnshape.explore("lstm-cell", initial_state="zeros")
    assert cell.ok
    assert not np.array_equal(cell.values[0], rnnshape.explore("lstm-cell").values[0])


def test_states_that_cannot_be_halved_are_an_error() -> None:
    layer = "Bidirectional(LSTM(2), backward_layer=GRU(2, go_backwards=True))"
    report = rnnshape.explore(layer, initial_state="random")
    assert report.error is not None
    assert report.error.kind == "keras"
    assert "give both directions the same number of states" in (report.error.hint or "")


# ── training ──


@pytest.mark.parametrize("layer", some(("LSTM", "GRU", "SimpleRNN", "RNN(LSTMCell", "RNN(GRUCell", "ConvLSTM1D"), 6))
@pytest.mark.parametrize(
    "drops", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"dropout": 0.3, "recurrent_dropout": 0.4}]
)
def test_dropout_masks_are_drawn_once_a_call(layer: str, drops: dict[str, float]) -> None:
    """The cell, called step by step with the same dropout masks, gives bitwise the layer's values."""
    size = "6, 3" if layer == "ConvLSTM1D" else "6"
    said = ", ".join(f"{name}={value}" for name, value in drops.items())
    inner = f"{layer}({size}, {said}"
    made = f"{inner}{')' if layer.startswith('RNN') else ''}"
    for flags in ("return_state=True", "return_sequences=True, go_backwards=True"):
        text = f"{made}, {flags})" if layer.startswith("RNN") else f"{inner}, {flags})"
        report = rnnshape.explore(text, training=True, calls=2, time=4)
        told = verdicts(report)
        assert told["stepped == layer(x)"] == (True, True)
        assert told["rebuilt == layer(x)"] == (True, True)
        assert told["call2 == layer(x)"] == (False, False)
        assert all(check.exact for check in report.checks if check.check.startswith(("stepped", "rebuilt")))
        assert all(check.holds for check in report.checks if check.check in ("output == state_h", "output == state"))


def test_dropout_masks_drawn_at_each_step_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = import_module("keras.src.layers.rnn.dropout_rnn_cell").DropoutRNNCell
    drawn = cells.get_dropout_mask

    def anew(cell: Any, step_input: Any) -> Any:
        cell._dropout_mask = None
        return drawn(cell, step_input)

    further: Any = import_module("rnnshape.lab.further")
    stepped = further._stepped

    def with_fresh_masks(spec: Any, x: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(cells, "get_dropout_mask", anew)
            return stepped(spec, x)

    monkeypatch.setattr(further, "_stepped", with_fresh_masks)
    report = rnnshape.explore("SimpleRNN(6, dropout=0.5)", training=True, time=5)
    assert [(check.guaranteed, check.holds) for check in report.checks if "stepped" in check.check] == [(True, False)]
    assert not report.ok


def test_training_without_dropout_is_like_any_call() -> None:
    assert seen("LSTM(3)", training=True, calls=2)["call2 == layer(x)"] == (True, True)
    twin = seen("RNN(LSTMCell(3))", training=True)
    assert twin["layer(x) == LSTM(...)(x)"] == (True, True)
    assert "layer(x) == LSTM(...)(x)" not in seen("RNN(LSTMCell(3, dropout=0.5))", training=True)


GATES = since("3.8", "LSTM and GRU draw a dropout mask for each gate with implementation=1")


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param("LSTM(3, dropout=0.5, implementation=1)", marks=GATES),
        pytest.param("GRU(3, dropout=0.5, implementation=1, activation='relu')", marks=GATES),
        "RNN(LSTMCell(3, dropout=0.5), dtype='mixed_float16')",
        "RNN([LSTMCell(2), GRUCell(3, recurrent_dropout=0.5, dtype='float16')])",
    ],
)
def test_a_rejection_in_training_is_predicted(layer: str) -> None:
    foretold = predict(make(layer, {"training": True})).refusal
    assert foretold is not None
    report = rnnshape.explore(layer, training=True)
    assert report.error is not None
    assert report.error.hint == foretold.hint
    assert rnnshape.explore(layer).ok == (predict(make(layer)).refusal is None)  # in 3.8 it drops also outside training


@pytest.mark.parametrize(
    "layer",
    [
        "LSTM(3, dropout=0.5, implementation=1, use_cudnn=False)",
        "LSTM(3, dropout=0.5, recurrent_dropout=0.1, implementation=1)",
        "Bidirectional(LSTM(3, dropout=0.5, implementation=1))",
        "RNN(LSTMCell(3, recurrent_dropout=0.5), dtype='mixed_float16')",
        "RNN([LSTMCell(2, dropout=0.5), GRUCell(3, recurrent_dropout=0.5)])",
    ],
)
def test_what_keras_takes_in_training_is_taken(layer: str) -> None:
    assert rnnshape.explore(layer, training=True, calls=2).ok


@pytest.mark.parametrize("execution", ["graph", "xla"])
@pytest.mark.parametrize(
    ("layer", "runs"),
    [
        ("LSTMCell(3, dropout=0.5)", False),
        ("GRUCell(3, recurrent_dropout=0.5)", False),
        ("StackedRNNCells([GRUCell(3), SimpleRNNCell(2, dropout=0.5)])", False),
        ("LSTMCell(3)", True),
        ("RNN(LSTMCell(3, dropout=0.5))", True),
    ],
)
def test_a_cell_that_drops_is_refused_in_a_graph(layer: str, execution: str, *, runs: bool) -> None:
    options = {"training": True, "execution": execution}
    told, seen = rnnshape.predict(layer, **options), rnnshape.explore(layer, **options)
    assert (told.error is None) is (seen.error is None) is runs


# ── as a user calls it ──


def test_the_program_runs_and_says_the_same(run: Callable[..., Ran]) -> None:
    for arguments in (
        ("show", "Bidirectional(GRU(2, return_sequences=True))", "--mask", "right:3,1", "--initial-state", "ones"),
        ("show", "Embedding(9, 4, mask_zero=True) | LSTM(2, return_state=True)", "--mask", "left:3,1", "--training"),
        ("lstm", "--masking", "0", "--initial-state", "zeros", "--return-state"),
        ("lstm-cell", "--initial-state", "ones", "--training"),
        ("show", "StackedRNNCells([LSTMCell(3)])"),
        ("show", "StackedRNNCells([StackedRNNCells([GRUCell(2)]), LSTMCell(3)])", "--initial-state", "zeros"),
        ("show", "StackedRNNCells([StackedRNNCells([GRUCell(2), LSTMCell(3)])])"),
        ("show", "RNN([LSTMCell(3)], return_state=True)", "--initial-state", "ones"),
        ("show", "LSTM(2, return_sequences=True) | GRU(3)", "--mask", "right:3,1", "--training"),
    ):
        program = run(*arguments, "--code").out
        names: dict[str, Any] = {}
        exec(compile(program, "program", "exec"), names)  # noqa: S102
        told = json.loads(run(*arguments, "-f", "json").out)
        returned = told["observed"]
        first = returned if returned["kind"] == "tensor" else returned["items"][0]
        assert list(names["output"].shape) == first["shape"], program
